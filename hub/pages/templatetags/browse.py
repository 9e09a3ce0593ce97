"""The choices of filters, written without a template: a list has hundreds of them."""

from collections.abc import Iterable

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from hub.pages.offers import Choice, Facet
from hub.pages.templatetags.house import license_brief, thousands
from hub.pages.templatetags.terms import notches

register = template.Library()
_ROW = (
    '<label class="check"><input type="{}" id="{}:{}" name="{}" value="{}"{}>{}<span class="clip">{}</span>'
    '<span class="count">{}</span></label>'
)
_CHECKED = SafeString(" checked")


@register.simple_tag
def choices(facet: Facet, shown: Iterable[Choice]) -> SafeString:
    """Return some of a facet's choices."""
    kind, name = "checkbox" if facet.boxes else "radio", facet.name
    return format_html_join("", _ROW, (_row(kind, name, one) for one in shown))


def _row(kind: str, name: str, one: Choice) -> tuple[str, ...]:
    words = license_brief(one.words) if name == "license" else one.words
    marks = notches(one.rung) if one.rung else ""
    checked = _CHECKED if one.chosen else ""
    return kind, name, one.value, name, one.value, checked, marks, words, thousands(one.count)


@register.simple_tag
def any_choice(facet: Facet) -> SafeString:
    """Return the choice that wishes for nothing."""
    return format_html(
        '<label class="check"><input type="radio" id="{}:" name="{}" value=""{}>{}</label>',
        facet.name, facet.name, "" if facet.is_chosen else _CHECKED, _("any"),
    )  # fmt: skip
