"""Work orders, their provenance, and the hand-over to a person."""
