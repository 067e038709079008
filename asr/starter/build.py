"""Rebuild the starter model: `python -m asr.starter.build [--work DIR] [--reuse-network]`.

Speaks the training text, trains, writes the Vosk folder, measures it, and packs it into
`model.tar.xz` with `manifest.json`. About 40 minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog

from asr.starter.acoustic import Spoken, TrainingReport, train_acoustic_model
from asr.starter.archive import ARCHIVE, MANIFEST, pack
from asr.starter.export import acoustic_model
from asr.starter.manifest import describe
from asr.starter.model_files import write_acoustic_model, write_graph, write_settings
from asr.starter.train import Recipe

log = structlog.get_logger(__name__)


def _network(work: Path, spoken: Spoken, recipe: Recipe, *, reuse: bool) -> dict[str, Any]:
    """Train, or take over the network of an earlier run in the same folder; what was done."""
    report_path = work / "training.json"
    if reuse and report_path.is_file():
        earlier: dict[str, Any] = json.loads(report_path.read_text())
        return earlier
    started = time.process_time()
    report: TrainingReport = train_acoustic_model(spoken, recipe, work / "network.pt")
    done = {
        **asdict(report),
        "spoken": asdict(spoken),
        "recipe": asdict(recipe),
        "cpu_minutes": round((time.process_time() - started) / 60, 1),
    }
    report_path.write_text(json.dumps(done))
    return done


def _measure(model: Path, work: Path) -> dict[str, Any]:
    """Error rates, measured in a process of its own."""
    report = work / "evaluation.json"
    with report.open("w", encoding="utf-8") as output:
        subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "asr.starter.evaluate", str(model)], stdout=output, check=True
        )
    measured: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return measured


def build(work: Path, *, reuse_network: bool = False) -> None:
    """Build everything in `work`, then replace the committed archive and manifest."""
    work.mkdir(parents=True, exist_ok=True)
    model = work / "model"
    training = _network(work, Spoken(), Recipe(), reuse=reuse_network)
    write_settings(model)
    write_acoustic_model(model, acoustic_model(work / "network.pt"))
    words = write_graph(model, work)
    log.info("starter_measuring")
    measured = _measure(model, work)
    pack(model, ARCHIVE)
    content = describe(model, ARCHIVE, training, words, measured)
    MANIFEST.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    log.info("starter_built", bytes=ARCHIVE.stat().st_size)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Rebuild the starter model.")
    parser.add_argument("--work", type=Path, default=Path("var/starter"))
    parser.add_argument(
        "--reuse-network",
        action="store_true",
        help="take the trained network of the last run in --work; only the graph is made anew",
    )
    arguments = parser.parse_args()
    build(arguments.work, reuse_network=arguments.reuse_network)


if __name__ == "__main__":
    main()
