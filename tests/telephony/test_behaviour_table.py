"""The behaviour table (``behaviour_table.txt``) names no test or scenario that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.telephony.sipp import SCENARIOS

HERE = Path(__file__).parent
ROWS = [
    line.split(" | ")
    for line in HERE.joinpath("behaviour_table.txt").read_text("utf-8").splitlines()
    if line.count(" | ") == 2
]
RUN = "".join(path.read_text("utf-8") for path in HERE.glob("test_*.py"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_row_is_proved(row: list[str]) -> None:
    proofs = row[2].split()
    assert proofs
    for proof in proofs:
        module, _, test = proof.partition("::")
        if test:
            source = HERE.joinpath(f"{module}.py").read_text("utf-8")
            assert re.search(rf"^(?:async )?def {test}\(", source, re.MULTILINE), proof
        else:
            assert SCENARIOS.joinpath(f"{module}.xml").exists(), proof
            assert f'"{module}"' in RUN or f'"{module.rpartition("_")[0]}_{{' in RUN, proof


def test_the_rows_are_there() -> None:
    assert len(ROWS) > 45
