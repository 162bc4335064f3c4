"""The calls of Studio Chat, by subject."""
