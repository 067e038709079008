"""Tells acts apart, inside Rasa: see ``bot.rasa.classifier``."""

from __future__ import annotations

import re
from typing import Any

import joblib
import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from sklearn.pipeline import Pipeline

from bot.rasa.classifier import TEMPERATURE, C, classifier, margins, probabilities
from bot.rasa.components import private, quick
from bot.rasa.weights import Weights

private.install()
quick.install()

_FILE = "acts.joblib"
# What an option's button sends back (Option.value): a matter's code and an aspect.
_OPTION = re.compile(r"[a-z]+(?:\.[a-z]+)*:\w*")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class ActClassifier(IntentClassifier, GraphComponent):
    """Sets ``intent`` and ``intent_ranking``; confidences are probabilities over all acts."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """C: inverse regularisation; temperature: what margins are multiplied with;
        ranking_length: how many acts are told.
        """
        return {"C": C, "temperature": TEMPERATURE, "ranking_length": 18}

    @classmethod
    def required_components(cls) -> list[Any]:
        """None: it reads the text itself."""
        return []

    @staticmethod
    def required_packages() -> list[str]:
        """What must be installed."""
        return ["sklearn", "pypinyin"]

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        pipeline: Pipeline | None = None,
    ) -> None:
        self._config = config
        self._storage = model_storage
        self._resource = resource
        self._pipeline = pipeline
        self._weights = Weights.of(pipeline) if pipeline else None

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,  # noqa: ARG003  # Rasa's signature
    ) -> ActClassifier:
        """A new, untrained classifier."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,  # noqa: ARG003  # Rasa's signature
        **kwargs: Any,  # noqa: ARG003  # as above
    ) -> ActClassifier:
        """The classifier as it was trained."""
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, joblib.load(folder / _FILE))

    def train(self, training_data: TrainingData) -> Resource:
        """Fit on every example that has an intent."""
        examples = [m for m in training_data.intent_examples if m.get(TEXT)]
        self._pipeline = classifier(self._config["C"])
        self._pipeline.fit([m.get(TEXT) for m in examples], [m.get(INTENT) for m in examples])
        with self._storage.write_to(self._resource) as folder:
            joblib.dump(self._pipeline, folder / _FILE)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Nothing behind this component learns from what it says."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the act to each message that has a text, be it blank: without an act Rasa is dumb."""
        for message in messages:
            if message.get(TEXT) is not None:
                ranking = self._rank(message.get(TEXT))
                message.set("intent", ranking[0], add_to_output=True)
                message.set("intent_ranking", ranking, add_to_output=True)
        return messages

    def _rank(self, text: str) -> list[dict[str, Any]]:
        if _OPTION.fullmatch(text.strip()):
            return [{"name": "policy", "confidence": 1.0}]
        assert self._weights is not None  # noqa: S101  # Rasa loads before it asks
        told = margins(self._weights, [text])
        chances = probabilities(told, self._config["temperature"])[0]
        best = np.argsort(-chances)[: self._config["ranking_length"]]
        classes = self._weights.classes
        return [{"name": classes[i], "confidence": float(chances[i])} for i in best]
