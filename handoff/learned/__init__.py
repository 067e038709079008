"""What past orders teach about new ones."""
