"""Differences as HTML: rows of a table, written here because a template would take ten times as long."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from hub.catalog.differences import Change, Compared
from hub.catalog.textdiff import Line, Pair, TextDiff

# Lines on one page; a file that would go beyond is shown on a page of its own.
MAX_SHOWN = 4_000
MAX_SHOWN_ALONE = 12_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A changed file, ready to be shown; ``rows`` is empty where ``reason`` says why."""

    change: Change
    reason: str = ""
    rows: str = ""
    added: int = 0
    removed: int = 0


def shown(compared: Iterable[Compared], *, beside: bool, alone: bool) -> list[Shown]:
    """Return changed files with their lines, one below the other or side by side, as many as fit a page."""
    left = MAX_SHOWN_ALONE if alone else MAX_SHOWN
    found = []
    for one in compared:
        if one.text is None:
            found.append(Shown(one.change, one.reason))
            continue
        count = sum(len(hunk) for hunk in one.text.hunks)
        fits = count <= left
        left -= count if fits else 0
        rows = _rows(one.text, beside) if fits else SafeString("")
        reason = "" if fits else "long" if alone else "later"
        found.append(Shown(one.change, reason, rows, one.text.added, one.text.removed))
    return found


def _rows(text: TextDiff, beside: bool) -> SafeString:
    pieces: list[str] = []
    for hunk in text.hunks:
        first = hunk[0]
        numbers = [line.number for line in (first.old, first.new) if line]
        if numbers[0] > 1 or len(pieces) > 0:
            place = _("line %(number)s") % {"number": max(numbers)}
            pieces.append(f'<tr class="gap"><td colspan="{4 if beside else 3}">{place}</td></tr>')
        pieces += _beside(hunk) if beside else _below(hunk)
    return SafeString("".join(pieces))


def _beside(hunk: Sequence[Pair]) -> list[str]:
    return [
        f"<tr>{_cell(pair.old, 'same' if pair.is_same else 'del', 'del')}"
        f"{_cell(pair.new, 'same' if pair.is_same else 'ins', 'ins')}</tr>"
        for pair in hunk
    ]


def _cell(line: Line | None, kind: str, tag: str) -> str:
    if line is None:
        return '<td class="no"></td><td class="none"></td>'
    return f'<td class="no">{line.number}</td><td class="{kind}">{_text(line, tag)}</td>'


def _below(hunk: Sequence[Pair]) -> list[str]:
    rows: list[str] = []
    waiting: list[str] = []
    for pair in hunk:
        if pair.is_same and pair.old and pair.new:
            rows += [*waiting, _row(str(pair.old.number), str(pair.new.number), "same", _text(pair.new, ""))]
            waiting = []
            continue
        # What was removed in a stretch stands above everything that was added in it.
        if pair.old:
            rows.append(_row(str(pair.old.number), "", "del", _text(pair.old, "del")))
        if pair.new:
            waiting.append(_row("", str(pair.new.number), "ins", _text(pair.new, "ins")))
    return rows + waiting


def _row(old: str, new: str, kind: str, text: str) -> str:
    return f'<tr><td class="no">{old}</td><td class="no">{new}</td><td class="{kind}">{text}</td></tr>'


_VOICES = {"del": gettext_noop("removed:"), "ins": gettext_noop("added:")}


def _text(line: Line, tag: str) -> str:
    pieces = (f"<{tag}>{escape(text)}</{tag}>" if differs else escape(text) for text, differs in line.pieces)
    voice = f'<span class="vh">{_(_VOICES[tag])} </span>' if tag in _VOICES else ""
    return voice + "".join(pieces)
