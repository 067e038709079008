"""Measurements from outside the product, beside peers in the same run. Nothing here asserts."""
