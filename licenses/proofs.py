"""PURE: where in a repository each inherited duty is met, by file and line, or that it is not.

Whether a duty is missing is what the findings say; this says where the proof lies, so that a person can look at it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from licenses.duties import Duty, plain
from licenses.findings import Finding
from licenses.terms import Reading

_NOTICE = re.compile(r"(?i)(?:^|/)(?:third.?party.?)?notices?(?:\.\w+)?$")
_POLICY = re.compile(r"(?i)(?:^|/)[^/]*(?:use.?policy|acceptable.?use)[^/]*$")
_CARD = "README.md"
_CHANGED = re.compile(r"(?i)\b(?:changed|modified|modification|fine.?tuned?|adapted|based on|derived from)\b")
_TERM_OF = {
    "text": ("attribution_required", "redistribution"),
    "notice": ("notice_file_required",),
    "display": ("attribution_required",),
    "name": ("naming_requirement",),
    "use-policy": ("acceptable_use_policy",),
    "changes": ("disclosure_of_changes",),
    "network": ("network_clause",),
}
_CODE_OF = {
    "text": ("DUTY-TEXT", "DUTY-NOTICE"), "notice": ("DUTY-NOTICE",), "display": ("DUTY-ATTRIB",),
    "name": ("DUTY-NAME",), "use-policy": ("DUTY-AUP",), "changes": ("DUTY-NOTICE",), "network": ("HUB-HOSTING",),
}  # fmt: skip
_SAYS = {
    "text": "The text of {license} lies beside the model",
    "notice": "The notice line of {license} is kept",
    "display": "The card shows “{text}”",
    "name": "The name begins with “{text}”",
    "use-policy": "The use policy of {license} goes with the model",
    "changes": "It is said what was changed",
    "network": "Who is served over a network is offered the model",
}


class Met(StrEnum):
    """``look`` is met as far as a program can tell, and has no line to show."""

    FOUND = "found"
    MISSING = "missing"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class Proved:
    """One duty in words; ``path`` and ``line`` say where it is met, ``message`` and ``clear`` what is wrong."""

    says: str
    duty: Duty
    state: Met
    term: str
    path: str = ""
    line: int = 0
    message: str = ""
    clear: str = ""


def prove(
    duties: Iterable[Duty],
    *,
    name: str,
    files: Mapping[str, str],
    texts: Mapping[str, Sequence[str]],
    findings: Sequence[Finding],
    readings: Mapping[str, Reading],
) -> Iterator[Proved]:
    """Yield every duty, the missing ones first; ``texts`` maps paths to the licences that were found there."""
    proved = [_proved(duty, name, files, texts, findings, readings) for duty in duties]
    yield from sorted(proved, key=lambda one: (one.state is not Met.MISSING, one.duty.license, one.says))


def _proved(
    duty: Duty,
    name: str,
    files: Mapping[str, str],
    texts: Mapping[str, Sequence[str]],
    findings: Sequence[Finding],
    readings: Mapping[str, Reading],
) -> Proved:
    license_name = readings[duty.license].name if duty.license in readings else duty.license
    says = _SAYS.get(duty.kind, "{text}").format(license=license_name, text=duty.text)
    term = _TERM_OF.get(duty.kind, ("",))[0]
    for one in findings:
        about = one.code in _CODE_OF.get(duty.kind, ()) and one.term in _TERM_OF.get(duty.kind, ())
        if one.holds and about and one.license == duty.license:
            return Proved(says, duty, Met.MISSING, term, message=one.message, clear=one.clear)
    path, line = _place(duty, name, files, texts)
    return Proved(says, duty, Met.FOUND if path else Met.LOOK, term, path, line)


def _place(
    duty: Duty, name: str, files: Mapping[str, str], texts: Mapping[str, Sequence[str]]
) -> tuple[str, int]:
    if duty.kind == "text":
        return next(((path, 1) for path, found in texts.items() if duty.license in found), ("", 0))
    if duty.kind == "name":
        last = name.rpartition("/")[2]
        return (name, 0) if last.casefold().startswith(duty.text.casefold()) else ("", 0)
    if duty.kind == "display":
        return _line_with(duty.text, {_CARD: files.get(_CARD, "")})
    if duty.kind == "notice":
        notices = {path: text for path, text in files.items() if _NOTICE.search(path)}
        return _line_with(duty.text, notices) if duty.text else next(((path, 1) for path in notices), ("", 0))
    if duty.kind == "use-policy":
        return next(((path, 1) for path in files if _POLICY.search(path)), ("", 0))
    if duty.kind == "changes":
        told = {path: text for path, text in files.items() if path == _CARD or _NOTICE.search(path)}
        return _first_line(told, _CHANGED)
    return "", 0


def is_notice(path: str) -> bool:
    """True for a notice file, by its name."""
    return _NOTICE.search(path) is not None


def _line_with(wanted: str, files: Mapping[str, str]) -> tuple[str, int]:
    """Return where some words stand: the line, or the first one that they begin on where they are wrapped."""
    words = plain(wanted)
    for path, text in files.items():
        lines = [plain(line) for line in text.splitlines()]
        for number, line in enumerate(lines, start=1):
            if words in line:
                return path, number
        if words in plain(text):
            first = words.split(" ")[:3]
            number = next((at for at, line in enumerate(lines, start=1) if " ".join(first) in line), 1)
            return path, number
    return "", 0


def _first_line(files: Mapping[str, str], wanted: re.Pattern[str]) -> tuple[str, int]:
    for path, text in files.items():
        for number, line in enumerate(text.splitlines(), start=1):
            if wanted.search(line[:2000]):
                return path, number
    return "", 0
