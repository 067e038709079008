"""What is wrong with a speech model, or with getting one."""

from __future__ import annotations


class ModelError(Exception):
    """A model cannot be had or used; the message is for the operator, in Chinese.

    ``code``: ``model_unknown`` (no such name), ``model_missing`` (not installed, no such file),
    ``model_unreachable`` (no way out to its source), ``model_truncated`` (the source ended too
    early), ``model_checksum`` (not the file that the catalogue names), ``model_corrupt`` (no usable
    model), ``model_space`` (the disk is full), ``model_unwritable``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
