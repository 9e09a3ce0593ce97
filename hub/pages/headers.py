"""What stands in the headers of weights, as people read it: keys by group, lists by their beginnings, short numbers."""

import struct
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _

from hub.pages.languages import numeral

MAX_VALUE = 300
MAX_KEYS = 1_000
# So much of a list's first values is shown.
MAX_HEAD = 90
# A list of so few is shown as it is.
FEW = 4
# Groups that GGUF files have, in the order of interest; the others, such as the architecture's, stand between.
FIRST, LAST = ("", "general"), ("tokenizer", "quantize", "split")


def groups_of(metadata: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the keys of a header by their first word, each with its value on one line; at most `MAX_KEYS`."""
    keys = sorted(metadata, key=lambda key: (_rank(_group(key)), _group(key), key))[:MAX_KEYS]
    return [
        (group, [(key[:MAX_VALUE], line(metadata[key])) for key in members])
        for group, members in groupby(keys, key=_group)
    ]


def _group(key: str) -> str:
    return key.partition(".")[0][:MAX_VALUE] if "." in key else ""


def _rank(group: str) -> int:
    if group in FIRST:
        return FIRST.index(group)
    return len(FIRST) + (1 + LAST.index(group) if group in LAST else 0)


def line(value: object) -> str:
    """Return one value of a header as a line."""
    if isinstance(value, Mapping) and "len" in value:
        return _list(value)
    text = _scalar(value)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]} …"


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return short_float(value) if isinstance(value, float) else str(value)


def _list(value: Mapping[str, Any]) -> str:
    number, head = value["len"], [_scalar(one) for one in value.get("head") or []]
    if 0 < number == len(head) <= FEW:
        return ", ".join(head)[:MAX_VALUE]
    names = {
        "str": _("%(number)s strings"), "bool": _("%(number)s times true or false"), "arr": _("%(number)s lists"),
    }  # fmt: skip
    count = names.get(str(value.get("type")), _("%(number)s numbers")) % {"number": numeral(f"{number:,}")}
    shown: list[str] = []
    for one in head:
        if sum(map(len, shown)) + len(one) > MAX_HEAD and shown:
            break
        shown.append(one[:MAX_HEAD])
    # A head that holds all of a short list ends without dots.
    return f"{count}: {', '.join(shown)}{', …' if len(shown) < number else ''}" if shown else count


def short_float(value: float) -> str:
    """Return the shortest decimal that is the same number in 32 bits: ``1e-05``, not ``9.999999747378752e-06``."""
    tries = [value, *(float(f"{value:.{digits}g}") for digits in range(9, 0, -1))]
    # Numbers that 32 bits do not hold were written with 64.
    is_single = _in_32_bits(value) == value
    short = [one for one in tries if _in_32_bits(one) == value][-1] if is_single else value
    return str(int(short)) if short == short // 1 and abs(short) < 10**15 else repr(short)


def _in_32_bits(value: float) -> float | None:
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return None
