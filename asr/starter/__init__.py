"""The starter model: a small Mandarin recogniser in Vosk's format, made by this project's scripts
from espeak-ng speech alone.

The product imports `asr.starter.archive` only (standard library). Everything else rebuilds the
model: `python -m asr.starter.build`, in an environment of `requirements/starter.txt` plus the
Debian packages libfst-tools and libfst22-plugins-base.
"""
