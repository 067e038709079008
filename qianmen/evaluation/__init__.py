"""How right the front door is on labelled sentences: reading, asking, scoring, drawing."""
