"""Small words of the templates about terms."""

import functools
from collections.abc import Mapping, Sequence

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from hub.catalog.models import Repo
from hub.pages.facetwords import RUNGS
from hub.pages.saying import listed, pieces, said
from hub.pages.standing import Standing, standing_of
from hub.pages.templatetags.house import license_brief, symbol_of
from licenses.openness import RUNG_NAMES, Rung
from licenses.terms import Reading

register = template.Library()
STEPS = 7
_SHOWN = 2


@register.simple_tag
@functools.cache
def notches(rung: int) -> SafeString:
    """Return the openness of a model as seven notches; words stand beside them."""
    marks = format_html_join(
        "", "<i{}></i>", ((SafeString("") if at < rung else SafeString(' class="o"'),) for at in range(STEPS))
    )
    return format_html('<span class="notches" aria-hidden="true">{}</span>', marks)


@register.filter
def api(repo: Repo) -> str:
    """Return where programs find a repo."""
    return f"/api/{repo.type}s/{repo.full_name}"


@register.simple_tag
def svg_seal(state: str, x: float, y: float) -> SafeString:
    """Return a seal inside a drawing, at the corner of a plate."""
    symbol, tone = symbol_of(state)
    return format_html(
        '<svg class="seal is-{}" x="{}" y="{}" width="18" height="18" viewBox="0 0 24 24"><use href="{}#s-{}"/></svg>',
        tone, x + 12, y + 14, static("weighhouse/sprite.svg"), symbol,
    )  # fmt: skip


@register.filter
def full_names(licenses: Sequence[str], readings: Mapping[str, Reading]) -> str:
    """Return the names of licenses: ``Llama 3.1 Community License and Apache-2.0``."""
    names = [readings[one].name if one in readings else one for one in licenses]
    return listed(names)


@register.filter
def rung_words(rung: int) -> str:
    """Return what a step of the ladder is called."""
    return said(RUNG_NAMES[Rung(rung)])


@register.filter
def rung_brief(rung: int) -> str:
    """Return a step of the ladder in two or three words."""
    return said(RUNGS.get(rung, RUNG_NAMES[Rung(rung)]))


@register.filter
def briefs(licenses: Sequence[str]) -> str:
    """Return several licenses by their short names: ``MIT and Apache-2.0``."""
    names = [license_brief(one) for one in licenses]
    if len(names) > _SHOWN:
        return _("%(names)s and %(number)s more") % {
            "names": ", ".join(names[:_SHOWN]), "number": len(names) - _SHOWN,
        }  # fmt: skip
    return listed(names)


@register.filter
def standing(repo: Repo) -> Standing:
    """Return where the terms of a repo stand."""
    return standing_of(repo)


@register.filter
def terms_of(repo: Repo) -> tuple[str, str]:
    """Return the terms of a repo in a few words, and their seal; what nobody has settled is told as such."""
    found = standing_of(repo)
    return (briefs(repo.concluded) if found.is_settled else found.word), found.seal


@register.filter
def as_read(text: str) -> SafeString:
    """Return a note of a reading; what there is in English alone is marked as English."""
    told = ((SafeString("" if is_known else ' lang="en"'), piece) for piece, is_known in pieces(text))
    return format_html_join("; ", "<span{}>{}</span>", told) if text else SafeString("")
