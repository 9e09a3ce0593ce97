"""PURE: what a card claims, what the texts beside it are, and whether the two agree.

Three things are kept apart.  *Declared* is what the card's fields say, *detected* is what the files' texts match, and
*concluded* is what a person or a policy settles on; only the last one releases anything.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from licenses.expressions import BadExpression, Expressions
from licenses.findings import Code, Finding, Severity, in_order
from licenses.matches import Detection, Passage, Status
from licenses.terms import Reading

# A card may hold anything; nobody names more licences than this.
MAX_DECLARED = 20
MAX_NAME = 200
MAX_QUOTE = 300
OTHER, UNKNOWN = "other", "unknown"


@dataclass(frozen=True, slots=True)
class Declared:
    """``ids`` are what the card names for sure, by catalogue id; ``findings`` is what is unsure about it."""

    raw: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    name: str = ""
    link: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Concluded:
    """A decision: an SPDX expression, the ids in it, and who or what decided on which texts."""

    expression: str
    ids: tuple[str, ...]
    decided_by: str
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Identification:
    """``agrees`` is true where declared and detected are the same and nothing is left to ask."""

    declared: Declared
    detected: tuple[str, ...]
    files: Mapping[str, Detection] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    inherited: frozenset[str] = frozenset()

    @property
    def agrees(self) -> bool:
        found = {one for one in self.detected if one not in self.inherited or one in self.declared.ids}
        return bool(found) and found == set(self.declared.ids) and not self.open_findings

    @property
    def standing(self) -> str:
        """Return ``agrees``, ``declared-only`` where no text lies beside a clear claim, or ``open``."""
        if self.agrees:
            return "agrees"
        silent = not any(_is_license(found) for found in self.files.values())
        return "declared-only" if silent and self.declared.ids and not self.open_findings else "open"

    @property
    def open_findings(self) -> bool:
        return any(one.holds for one in self.findings)


class Catalogue:
    """The readings by every name they go by; a name that several share names none of them."""

    def __init__(self, readings: Mapping[str, Reading]) -> None:
        self.readings = readings
        self.expressions = Expressions(readings)
        self._names: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for reading in readings.values():
            for name in (reading.id, reading.spdx, reading.symbol, *reading.aliases):
                if name:
                    self._names[name.casefold()][reading.id] = None

    def candidates(self, name: str) -> tuple[str, ...]:
        """Return the ids that a name may mean: its own id first of all, else whoever shares it as an alias."""
        key = name.strip().casefold()
        return (key,) if key in self.readings else tuple(self._names.get(key, ()))

    def declared(self, value: object, *, name: object = "", link: object = "") -> Declared:
        """Read a card's ``license``, ``license_name`` and ``license_link``, whatever they hold."""
        raw = tuple(_strings(value))
        said, where = _word(name), _word(link)
        if not raw and not said:
            return Declared(raw, name=said, link=where, findings=(_missing(),))
        ids: dict[str, None] = {}
        findings: list[Finding] = []
        if len(raw) > 1:
            findings.append(
                _ambiguous("The card lists several licences without saying whether all or any apply.")
            )
        for text in raw or (OTHER,):
            found, problems = self._one(text, said, where)
            ids |= dict.fromkeys(found)
            findings += problems
        return Declared(raw, tuple(ids), said, where, in_order(findings))

    def _one(self, text: str, name: str, link: str) -> tuple[tuple[str, ...], list[Finding]]:
        if text.casefold() == UNKNOWN:
            return (), [_missing()]
        if text.casefold() == OTHER:
            return self._other(name, link)
        found = self.candidates(text) or self._expression(text)
        if not found:
            return (), [_ambiguous(f"{text[:80]!r} is in no licence catalogue here.")]
        problems = []
        if len(found) > 1 and self.candidates(text):
            return (), [_ambiguous(f"{text[:80]!r} is the name of several licences: {', '.join(found)}.")]
        if name and not self._is_name_of(name, found):
            problems.append(
                _ambiguous(f"The id says {', '.join(found)}, the name says {name!r}; the text decides.")
            )
        if not self.candidates(text) and self.expressions.has_choice(text):
            problems.append(_ambiguous(f"{text[:80]!r} offers a choice; say which of them applies here."))
        problems += [_no_version(one) for one in found if self.readings[one].category == "ambiguous"]
        return found, problems

    def _is_name_of(self, name: str, ids: Sequence[str]) -> bool:
        if named := self.candidates(name):
            return bool(set(named) & set(ids))
        return any(
            _letters(one) in _letters(name) or _letters(name) in _letters(self.readings[one].name)
            for one in ids
        )

    def _other(self, name: str, link: str) -> tuple[tuple[str, ...], list[Finding]]:
        if not name:
            where = f" It points to {link!r}, which a person has to read." if link else ""
            return (), [_ambiguous(f"The card says 'other' and names no licence.{where}")]
        found = self.candidates(name)
        if len(found) == 1:
            return found, []
        if found:
            return (), [_ambiguous(f"{name!r} is the name of several licences: {', '.join(found)}.")]
        return (), [_ambiguous(f"{name!r} is in no licence catalogue here.")]

    def _expression(self, text: str) -> tuple[str, ...]:
        try:
            return self.expressions.ids(text)
        except BadExpression:
            return ()

    def modified(self, base: str) -> tuple[str, ...]:
        """Return the licences that are known as modified forms of one, to be proposed where its text was added to."""
        words = f"modified {base}".casefold()
        return tuple(one.id for one in self.readings.values() if words in one.name.casefold())

    def identify(
        self, declared: Declared, files: Mapping[str, Detection], *, inherited: Collection[str] = ()
    ) -> Identification:
        """Hold what the card claims against the texts of the licence files; paths are the caller's.

        ``inherited`` are the licences of what it was made from: their texts may lie beside its own.
        """
        findings = list(declared.findings)
        texts = {path: found for path, found in files.items() if _is_license(found)}
        for path, found in files.items():
            if path in texts or found.matches[0].kind == "use-policy":
                findings += self._of_file(path, found)
        clean = [found for found in texts.values() if found.is_clean]
        detected = tuple(dict.fromkeys(one for found in clean for one in found.licenses))
        own = [one for one in detected if one not in inherited or one in declared.ids]
        if not texts or (detected and not own):
            findings.append(self._no_text(declared.ids))
        elif own and declared.ids and set(own) != set(declared.ids):
            findings.append(self._mismatch(declared.ids, own))
        return Identification(declared, detected, files, in_order(findings), frozenset(inherited))

    def _of_file(self, path: str, found: Detection) -> Iterable[Finding]:
        base = found.matches[0].license if found.matches else ""
        if found.status is Status.ADDED:
            known = self.modified(base)
            hint = f" Known modified forms are {', '.join(known)}." if known else ""
            yield Finding(
                Code.LIC_ALTERED, Severity.FIX, _added(path, self._brief(base), found.residue[0]),
                f"A reviewer reads the addition; it is not plain {self._brief(base)}.{hint}", license=base,
                subject=path,
            )  # fmt: skip
        elif found.status is Status.ALTERED:
            yield Finding(
                Code.LIC_ALTERED, Severity.FIX,
                f"{path} is close to {self._brief(base)}, but {_difference(found)}.",
                "Put in the unchanged text, or let a reviewer read this one.", license=base, subject=path,
            )  # fmt: skip
        elif found.status is Status.MULTIPLE:
            yield _ambiguous(f"{path} holds several licences: {', '.join(found.licenses)}.", path)
        elif found.status is Status.AMBIGUOUS:
            names = ", ".join(f"{one.license} {one.version}".strip() for one in found.matches)
            yield _ambiguous(f"{path} does not say by title or date which version it is: {names}.", path)
        elif found.status in (Status.UNKNOWN, Status.UNREADABLE):
            yield _ambiguous(f"{path} is no licence text known here. {found.note}".strip(), path)

    def _mismatch(self, declared: Sequence[str], detected: Sequence[str]) -> Finding:
        said, found = (", ".join(self._brief(one) for one in ids) for ids in (declared, detected))
        return Finding(
            Code.LIC_MISMATCH, Severity.FIX, f"The card says {said}, the text is {found}.",
            "Correct the card, or put in the text that it names.", license=", ".join(detected),
        )  # fmt: skip

    def _brief(self, license_id: str) -> str:
        """Return the short name that people know a licence by."""
        reading = self.readings.get(license_id)
        return (reading.spdx or reading.name) if reading else license_id

    def _no_text(self, ids: Sequence[str]) -> Finding:
        harmless = bool(ids) and all(self.readings[one].is_permissive for one in ids)
        return Finding(
            Code.LIC_MISSING, Severity.WARN if harmless else Severity.FIX,
            "No licence text lies in the repository.", "Add the licence's text as LICENSE.",
            license=", ".join(ids),
        )  # fmt: skip


def _is_license(found: Detection) -> bool:
    """A use policy or a notice beside the licence is no second licence."""
    return not found.matches or found.matches[0].kind in ("license", "translation")


def _added(path: str, name: str, run: Passage) -> str:
    quote = run.quoted(MAX_QUOTE)
    if run.first_line == run.last_line:
        return f"{path} holds {name} and more, in line {run.first_line}: “{quote}”"
    return f"{path} holds {name} and more, in lines {run.first_line} to {run.last_line}: “{quote}”"


def _difference(found: Detection) -> str:
    lost = f"{len(found.missing)} of its words are missing ({' '.join(found.missing[:12])} ...)"
    return f"{lost} and {found.longest_run} words in a row are not its own" if found.longest_run else lost


def _missing() -> Finding:
    return Finding(
        Code.LIC_MISSING, Severity.FIX, "The card names no licence.", "Name the licence on the card.", term=""
    )


def _ambiguous(message: str, subject: str = "") -> Finding:
    return Finding(
        Code.LIC_AMBIGUOUS, Severity.FIX, message, "Name one licence on the card and add its text.", subject=subject
    )  # fmt: skip


def _no_version(one: str) -> Finding:
    return Finding(
        Code.LIC_AMBIGUOUS, Severity.FIX, f"{one!r} names a family of licences and no version.",
        "Name the version, as in gpl-3.0 or cc-by-4.0.", license=one,
    )  # fmt: skip


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _strings(value: object) -> Iterable[str]:
    items = value if isinstance(value, list | tuple) else [value]
    for item in items[:MAX_DECLARED]:
        if isinstance(item, str) and item.strip():
            yield item.strip()[:MAX_NAME]


def _word(value: object) -> str:
    return value.strip()[:MAX_NAME] if isinstance(value, str) else ""
