"""The supervisor's wall: what happens now, and what happened by day, counted from the database."""
