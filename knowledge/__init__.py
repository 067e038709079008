"""What may be said: matters, answers, versions, search."""
