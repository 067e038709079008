"""The city in YAML and the settings."""
