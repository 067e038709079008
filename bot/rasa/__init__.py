"""The Rasa project: acts, the complaint form, and the light component that tells acts apart.

Loaded inside Rasa's own environment: imports nothing of the product but ``language``.
"""
