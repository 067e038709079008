"""Messages in, replies out: the web chat."""
