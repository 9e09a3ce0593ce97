"""Small words of the review desk."""

from collections.abc import Mapping

from django import template
from django.utils.translation import gettext_noop

from hub.pages.saying import said
from licenses.terms import TERMS

register = template.Library()

_VALUES = {"conditional": gettext_noop("with terms")}


@register.filter
def item(found: Mapping[str, str], key: str) -> str:
    """Return what stands under a key, or nothing."""
    return found.get(key, "")


@register.filter
def term_title(key: str) -> str:
    """Return what a term is about, in words."""
    return said(TERMS.get(key, key))


@register.filter
def term_word(value: str) -> str:
    """Return an answer to a term as people say it."""
    return said(_VALUES.get(value, value))
