"""The agent's desk, seen from the server: frames, the open desks, offers, transcripts, orders."""
