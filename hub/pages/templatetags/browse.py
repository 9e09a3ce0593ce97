"""The choices of filters, written without a template: a list has hundreds of them."""

from collections.abc import Iterable

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from hub.pages.offers import Choice, Facet
from hub.pages.rows import Row, drawn
from hub.pages.templatetags.house import license_brief, thousands
from hub.pages.templatetags.terms import notches

register = template.Library()
_CHECKED = SafeString(" checked")


@register.simple_tag
def choices(facet: Facet, shown: Iterable[Choice]) -> SafeString:
    """Return some of a facet's choices."""
    kind, name = "checkbox" if facet.boxes else "radio", facet.name
    return SafeString("".join(_row(kind, name, one) for one in shown))


def _row(kind: str, name: str, one: Choice) -> str:
    """Return one choice.  Its value and its words come from cards and are escaped here; nothing else does."""
    value, words = escape(one.value), escape(license_brief(one.words) if name == "license" else one.words)
    marks = notches(one.rung) if one.rung else ""
    return (
        f'<label class="check"><input type="{kind}" id="{name}:{value}" name="{name}" value="{value}"'
        f'{_CHECKED if one.chosen else ""}>{marks}<span class="clip">{words}</span>'
        f'<span class="count">{thousands(one.count)}</span></label>'
    )


@register.simple_tag
def any_choice(facet: Facet) -> SafeString:
    """Return the choice that wishes for nothing."""
    return format_html(
        '<label class="check"><input type="radio" id="{}:" name="{}" value=""{}>{}</label>',
        facet.name, facet.name, "" if facet.is_chosen else _CHECKED, _("any"),
    )  # fmt: skip


@register.simple_tag
def drawn_row(row: Row, pick: bool | str = False) -> SafeString:
    """Return one line of a list."""
    return drawn(row, pick=bool(pick))
