"""Small words of the review desk."""

from collections.abc import Mapping

from django import template

register = template.Library()

_VALUES = {"conditional": "with terms"}


@register.filter
def item(found: Mapping[str, str], key: str) -> str:
    """Return what stands under a key, or nothing."""
    return found.get(key, "")


@register.filter
def term_word(value: str) -> str:
    """Return an answer to a term as people say it."""
    return _VALUES.get(value, value)
