"""The keeper: what must be done from time to time, whoever calls or chats."""
