"""Simulated citizens, for demos, tests and measurements: one who calls and one who chats."""
