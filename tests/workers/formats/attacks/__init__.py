"""Hostile files by name: each function makes one, and says what it tries."""
