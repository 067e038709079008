"""Mandarin, pure: numbers, dates, places normalised; pinyin; text made speakable."""
