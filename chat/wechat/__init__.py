"""The city's WeChat Official Account: what comes in, and what goes out."""
