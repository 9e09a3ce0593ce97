"""Giving up keys.  `storage.sweep` deletes a condemned key after the transaction has ended."""

from storage.models import Condemned


def condemn(*keys: str) -> None:
    """Mark keys for deletion, in the transaction that forgets them; empty and marked ones are skipped."""
    Condemned.objects.bulk_create([Condemned(key=key) for key in keys if key], ignore_conflicts=True)
