"""What was meant and what happens next, the same for every channel."""
