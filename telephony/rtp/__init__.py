"""Media: G.711 over RTP, telephone-events, jitter, one sender tick for all calls."""
