"""What travels between the rooms: frozen dataclasses, nothing else."""
