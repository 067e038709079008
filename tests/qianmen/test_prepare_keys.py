"""Starting with another key, or without the one that is needed, is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import Settings
from qianmen.prepare import prepare
from sealing.keys import new_key


def refusal(folder: Path, key: str) -> str:
    """The code that starting ends with: there is no such model, so it always ends."""
    settings = Settings(data_dir=folder, data_key=key, model=folder / "none", database_url="")
    with pytest.raises(Exception, match=r".") as caught:
        prepare(settings)
    code: str = getattr(caught.value, "code", "")
    return code


def test_the_key_that_was_used_is_asked_for(tmp_path: Path) -> None:
    first, second = new_key(), new_key("sm4")
    assert refusal(tmp_path, "") == "model_missing"
    assert refusal(tmp_path, first) == "model_missing"
    assert refusal(tmp_path, second) == "data_key_wrong"
    assert refusal(tmp_path, "") == "data_key_missing"
    assert refusal(tmp_path, "no key") == "data_key_invalid"
    assert refusal(tmp_path, f"{second},{first}") == "model_missing"
