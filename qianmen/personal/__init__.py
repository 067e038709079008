"""A citizen's data: found, given out, erased, sealed again (PIPL Art. 45 and 47)."""
