"""What is wrong with an installation, and what to do: facts gathered, then judged by pure rules."""
