"""Train (once) and ask Rasa's DIET and ResponseSelector: ``python diet_main.py FOLDER NOTHING``.

Runs in Rasa's environment, which knows nothing of ours. ``FOLDER`` holds ``train.json`` (pairs of
text and class ``matter:aspect``) and ``texts.json``; it gets ``models/`` and ``guesses.json``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import yaml

EPOCHS = 20
MODEL = "diet"
PIPELINE = [
    {"name": "JiebaTokenizer"},
    {"name": "LexicalSyntacticFeaturizer"},
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
    {"name": "DIETClassifier", "epochs": EPOCHS, "entity_recognition": False},
    {"name": "ResponseSelector", "retrieval_intent": "faq", "epochs": EPOCHS},
]


def write_project(home: Path, pairs: list[list[str]], nothing: str) -> None:
    """config.yml, domain.yml and nlu.yml; every class is a response of the intent ``faq``."""
    by_class: dict[str, list[str]] = {}
    for text, wanted in pairs:
        line = text.strip().replace("\n", " ")
        if line:
            by_class.setdefault(wanted, []).append(line)
    names = {wanted: f"faq/{wanted.replace(':', '-')}" for wanted in by_class if wanted != nothing}
    nlu = [
        {"intent": names.get(wanted, "nothing"), "examples": "".join(f"- {t}\n" for t in texts)}
        for wanted, texts in by_class.items()
    ]
    responses = {f"utter_{name}": [{"text": wanted}] for wanted, name in names.items()}
    _dump(home / "nlu.yml", {"version": "3.1", "nlu": nlu})
    _dump(home / "config.yml", {"recipe": "default.v1", "language": "zh", "pipeline": PIPELINE})
    domain = {"version": "3.1", "intents": ["faq", "nothing"], "responses": responses}
    _dump(home / "domain.yml", domain)


def _dump(path: Path, value: Any) -> None:
    text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=10000)
    path.write_text(str(text), encoding="utf-8")


def train(home: Path) -> None:
    """Into ``models/``; raises SystemExit when Rasa refuses."""
    from rasa.model_training import train_nlu  # type: ignore[import-not-found]  # Rasa's own

    made = train_nlu(
        config=str(home / "config.yml"), nlu_data=str(home / "nlu.yml"),
        output=str(home / "models"), fixed_model_name=MODEL, domain=str(home / "domain.yml"),
    )  # fmt: skip
    if not made:
        raise SystemExit("Rasa could not train the model")


async def guesses(home: Path, texts: list[str]) -> list[dict[str, Any]]:
    """For each text the best classes and the first one's score, 0 to 1."""
    from rasa.core.agent import Agent  # type: ignore[import-not-found]  # as above

    agent = Agent.load(str(home / "models" / f"{MODEL}.tar.gz"))
    return [_guess(await agent.parse_message(text)) for text in texts]


def _guess(parsed: dict[str, Any]) -> dict[str, Any]:
    if parsed["intent"]["name"] != "faq":
        return {"classes": [], "score": 0.0}
    ranking = parsed["response_selector"]["faq"]["ranking"][:4]
    keys = [one["intent_response_key"].partition("/")[2].replace("-", ":") for one in ranking]
    return {"classes": keys, "score": parsed["intent"]["confidence"] * ranking[0]["confidence"]}


def main() -> None:
    """Train unless the model stands, then answer."""
    home, nothing = Path(sys.argv[1]), sys.argv[2]
    if not (home / "models" / f"{MODEL}.tar.gz").is_file():
        write_project(home, json.loads((home / "train.json").read_text("utf-8")), nothing)
        train(home)
    texts = json.loads((home / "texts.json").read_text("utf-8"))
    told = asyncio.run(guesses(home, texts))
    (home / "guesses.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
