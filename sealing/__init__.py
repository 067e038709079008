"""Encryption of personal data at rest: keys, sealed words, sealed files. Pure; imports no room.

Rasa's environment loads it too: ``cryptography`` and the standard library only.
"""
