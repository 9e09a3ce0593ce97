"""Weighhouse: the hub itself (settings, doors, domain, people)."""
