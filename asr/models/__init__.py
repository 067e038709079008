"""Speech models: which are known, how one is fetched, checked, and found again."""

from asr.models.check import Problem, check

__all__ = ["Problem", "check"]
