"""Recordings put through a recogniser as a caller's voice is, and how well it heard them."""
