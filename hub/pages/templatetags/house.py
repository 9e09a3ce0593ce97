"""Small words of the templates: icons, seals, numbers with units, times, addresses of repo pages."""

import functools
import re
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import template
from django.templatetags.static import static
from django.utils import dateformat
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from hub.catalog.models import Repo
from hub.catalog.names import is_oid_prefix
from hub.pages import actwords, jobwords, saying
from hub.pages.addresses import compare_url, repo_url, rev_url
from hub.pages.languages import numeral
from hub.pages.times import ago
from licenses.identifiers import known_licenses, license_title

register = template.Library()
register.filter("ago", ago)
FULL_OID = 40
MAX_BARS = 10

# state -> symbol of the sprite, colour class
_SEALS = {
    "proven": ("proven", "ok"),
    "proving": ("waiting", "info"),
    "pending": ("waiting", "info"),
    "rejected": ("refused", "bad"),
    "missing": ("missing", "bad"),
    "warn": ("missing", "warn"),
    "terms": ("terms", "warn"),
    "declared": ("terms", "idle"),
    "accepted": ("proven", "ok"),
    "small": ("unknown", "idle"),
    "unknown": ("unknown", "idle"),
}
_LARGE = [(10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")]
_BYTES = [(10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")]


# A list draws hundreds of the same few; where the sprite lies does not change while a process runs.
@register.simple_tag
@functools.lru_cache(maxsize=512)
def icon(name: str, extra: str = "") -> SafeString:
    """Return an icon that says nothing to a screen reader; a word stands beside it."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#i-{}"/></svg>',
        extra, static("weighhouse/sprite.svg"), name,
    )  # fmt: skip


@register.simple_tag
@functools.lru_cache(maxsize=2048)
def seal(state: str, size: str = "", label: str = "") -> SafeString:
    """Return the seal of a state; with ``label`` it stands alone and has a name."""
    symbol, tone = _SEALS.get(state, _SEALS["unknown"])
    voice = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="seal {} is-{}" {}><use href="{}#s-{}"/></svg>',
        f"seal--{size}" if size else "", tone, voice, static("weighhouse/sprite.svg"), symbol,
    )  # fmt: skip


def symbol_of(state: str) -> tuple[str, str]:
    """Return the symbol and the colour of a state's seal."""
    return _SEALS.get(state, _SEALS["unknown"])


@register.filter
def tone(state: str) -> str:
    """Return the colour class of a state."""
    return "is-" + _SEALS.get(state, _SEALS["unknown"])[1]


def _scaled(number: float, units: list[tuple[int, str]], last: str) -> str:
    for scale, unit in units:
        # What would be shown as 1000 of a unit is shown as 1 of the next.
        if number >= scale * 0.9995:
            value = number / scale
            digits = 2 if value < 9.995 else 1
            return f"{numeral(f'{value:.{digits}f}')} {unit}"
    return f"{number:.0f} {last}".strip()


@register.filter
def size(number: int | None) -> str:
    """Return bytes in units of 1000: ``5.73 GB``."""
    return _scaled(number or 0, _BYTES, "B")


@register.filter
def percent(share: float) -> str:
    """Return a share of 1 as percent with two digits that count: ``0.31%``."""
    return numeral(f"{100 * share:.2g}%")


@register.filter
def weights(number: int | None) -> str:
    """Return a count of parameters: ``8.03 B`` is billions."""
    return _scaled(number, _LARGE, "") if number else ""


@register.filter
def thousands(number: int | None) -> str:
    """Return a count with separators."""
    return numeral(f"{number or 0:,}")


@register.filter
def short(oid: str) -> str:
    """Return the first seven digits of a git id."""
    return oid[:7]


@register.filter
def revision(text: str) -> str:
    """Return a revision as people read it: a full commit id by its first digits."""
    return short(text) if len(text) == FULL_OID and is_oid_prefix(text) else text


@register.filter
def spaced(text: str) -> str:
    """Return ``text generation`` for ``text-generation``."""
    return text.replace("-", " ").replace("_", " ")


@register.filter
def said(text: Any) -> Any:
    """Return a sentence or a word of the domain, or each of several, in the reader's language."""
    if isinstance(text, list | tuple):
        return [saying.said(one) for one in text]
    return saying.said(text) if text else ""


@register.filter
def within(text: str) -> str:
    """Return words as they stand inside a sentence: English begins them small, German nouns stay as they are."""
    return text.lower() if get_language() in (None, "en") else text


@register.filter
def job_name(kind: str) -> str:
    """Return what kind of work a job is, in words."""
    return jobwords.job_name(kind)


@register.filter
def act_name(act: str) -> str:
    """Return how an act in the log is called."""
    return actwords.act_name(act)


@register.filter
def license_name(text: str) -> str:
    """Return the full name of a licence as declared."""
    return license_title(text)


@register.filter
def license_brief(text: str) -> str:
    """Return the short name that people know a licence by: its SPDX id where it has one."""
    entry = known_licenses().get(text.strip().lower())
    return (entry.spdx or entry.name) if entry else text


@register.filter
def space_of(full_name: str) -> str:
    """Return whose a repo is, by its whole name."""
    return full_name.partition("/")[0]


@register.filter
def url(repo: Repo) -> str:
    """Return the address of a repo's first page."""
    return repo_url(repo)


@register.simple_tag
def at(repo: Repo, verb: str, revision: str, path: str = "") -> str:
    """Return the address of a page of a repo at a revision."""
    return rev_url(repo, verb, revision, path)


@register.simple_tag
def compare_address(repo: Repo, one: str, other: str) -> str:
    """Return the address of what differs between two revisions."""
    return compare_url(repo, one, other)


@register.filter
def day_rows(days: list[tuple[date, int]]) -> SafeString:
    """Return a table's rows of days and counts; a template takes ten times as long for them."""
    return SafeString(
        "".join(
            f'<tr><th scope="row"><time datetime="{day.isoformat()}">{dateformat.format(day, "j M Y")}</time></th>'
            f'<td class="num" data-v="{count}">{thousands(count)}</td></tr>'
            for day, count in days
        )
    )


@register.filter
def by_storage(rows: list[Any]) -> list[tuple[Any, float]]:
    """Return the lines of the repos that take most room, each with its share of the largest."""
    found = sorted((row for row in rows if row.used_storage), key=lambda row: -row.used_storage)
    return [(row, 100 * row.used_storage / found[0].used_storage) for row in found[:MAX_BARS]]


@register.filter
def octal(number: int) -> str:
    """Return a file mode as git writes it."""
    return f"{number:o}"


_BITS = re.compile(r"[0-9]+")
# Types whose name does not tell how wide a number is.
_WIDTHS = {"BF16": 16, "BOOL": 8, "MXFP4": 4, "NVFP4": 4, "E4M3": 8, "E5M2": 8}
_STEPS = (32, 16, 8, 6, 5)


@register.filter
def bits_class(dtype: str) -> str:
    """Return the colour class of a number type: the fewer bits, the fainter."""
    found = _BITS.search(dtype)
    width = _WIDTHS.get(dtype) or (8 if dtype.startswith("F8") else int(found[0]) if found else 4)
    return f"b{next((step for step in _STEPS if width >= step), 4)}"


@register.filter
def add_float(number: float, more: float) -> str:
    """Return a sum as SVG takes it."""
    return f"{number + more:.1f}"


@register.simple_tag
def tensor_query(rev: str, chosen: str, text: str, view: str, skip: int = 0) -> str:
    """Return the question behind a list of tensors, without what is as always."""
    values = {
        "revision": "" if rev == "main" else rev,
        "set": chosen,
        "q": text,
        "view": view,
        "skip": skip or "",
    }
    return urlencode({key: value for key, value in values.items() if value})
