"""All listening: the recogniser, voice activity, the end of a turn, the starter model."""
