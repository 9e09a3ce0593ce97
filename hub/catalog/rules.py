"""PURE: what ``.gitignore`` and ``.gitattributes`` say of a path, as git reads them at the root of a repo."""

import re
from collections.abc import Iterator, Sequence

from hub.catalog.errors import TooLarge
from hub.catalog.patterns import Malformed, Matcher, Pattern, parse

MAX_BYTES = 256 * 1024
# The work for one byte of a path grows with these; rules that people write stay far below.
MAX_ATOMS = 32 * 1024
MAX_STATES = 8 * 1024
# Git reads no longer line in attributes.
_MAX_LINE = 2048
_BOM = b"\xef\xbb\xbf"
_NAME = re.compile(rb"[A-Za-z0-9_.][-A-Za-z0-9_.]*")
_ESCAPES = {b"a": 7, b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11, b'"': 34, b"\\": 92}

# True, False, a value, or None where the attribute is said to be unspecified.
Value = bool | bytes | None
State = tuple[bytes, Value]


class Ignores:
    """Ignore rules.  Raises TooLarge for more of them than can be asked quickly."""

    def __init__(self, content: bytes) -> None:
        rules = list(_ignore_rules(content))
        self._negative = [negative for negative, _ in rules]
        self._matcher = _matcher([pattern for _, pattern in rules])

    def match(self, path: bytes) -> bool:
        """True where the last rule for the file, or for a folder above it, ignores it."""
        found = self._matcher.last_of(path)
        return any(rule is not None and not self._negative[rule] for rule in found)


class Attributes:
    """Attribute rules, as far as they decide one attribute.  Raises TooLarge for too many of them."""

    def __init__(self, content: bytes, name: bytes) -> None:
        lines = list(_attribute_lines(content))
        self._name = name
        macros = {text[len(b"[attr]") :]: states for text, states in lines if text.startswith(b"[attr]")}
        told = {name, *macros}
        self._macros = {key: _only(states, told) for key, states in macros.items()}
        rules = [(pattern, _only(states, told)) for pattern, states in _attribute_rules(lines)]
        rules = [(pattern, states) for pattern, states in rules if states]
        if sum(map(len, self._macros.values())) + sum(len(states) for _, states in rules) > MAX_STATES:
            raise TooLarge(f"The attributes set {name.decode()} and macros more than {MAX_STATES} times.")
        self._states = [states for _, states in rules]
        self._matcher = _matcher([pattern for pattern, _ in rules])
        self._known: dict[int, Value] = {}

    def value(self, path: bytes) -> Value:
        """Return the value of the attribute for a file, None where it has none."""
        ends = self._matcher.ends_of(path)
        if ends not in self._known:
            self._known[ends] = self._decided(ends)
        return self._known[ends]

    def _decided(self, ends: int) -> Value:
        """The last word on an attribute counts; a macro stands for its settings where it is set to true."""
        known: dict[bytes, Value] = {}
        for rule in self._matcher.each(ends):
            waiting = list(self._states[rule])
            while waiting:
                name, value = waiting.pop()
                if name not in known:
                    known[name] = value
                    if value is True:
                        waiting += self._macros.get(name, ())
                if self._name in known:
                    return known[self._name]
        return None


def _matcher(patterns: Sequence[Pattern]) -> Matcher:
    if sum(len(pattern.atoms) + 1 for pattern in patterns) > MAX_ATOMS:
        raise TooLarge(f"The patterns are longer than {MAX_ATOMS} characters together.")
    return Matcher(patterns)


def _only(states: Sequence[State], told: set[bytes]) -> tuple[State, ...]:
    """Keep the last word on each attribute of interest."""
    last = {name: value for name, value in states if name in told}
    order = list(dict.fromkeys(name for name, _ in reversed(states) if name in told))
    return tuple((name, last[name]) for name in reversed(order))


def _lines(content: bytes) -> list[bytes]:
    return [line.removesuffix(b"\r") for line in content.removeprefix(_BOM).split(b"\n")]


def _ignore_rules(content: bytes) -> Iterator[tuple[bool, Pattern]]:
    for line in _lines(content):
        text = _without_blanks(line)
        if not text or line.startswith(b"#"):
            continue
        negative = text.startswith(b"!")
        try:
            yield negative, parse(text[negative:])
        except Malformed:
            continue


def _without_blanks(line: bytes) -> bytes:
    """Drop blanks at the end, except one that a backslash keeps."""
    text = line.rstrip(b" ")
    slashes = len(text) - len(text.rstrip(b"\\"))
    return text + b" " if slashes % 2 and len(text) < len(line) else text


def _attribute_lines(content: bytes) -> Iterator[tuple[bytes, list[State]]]:
    for line in _lines(content):
        text = line.lstrip(b" \t\r")
        if not text or text.startswith(b"#") or len(line) > _MAX_LINE:
            continue
        pattern, rest = _quoted(text) or _word(text)
        states = [_state(word) for word in rest.split()]
        if all(_NAME.fullmatch(name) for name, _ in states):
            yield pattern, states


def _attribute_rules(lines: Sequence[tuple[bytes, list[State]]]) -> Iterator[tuple[Pattern, list[State]]]:
    for text, states in lines:
        # Git refuses negative patterns here, and those for folders never match a file.
        if text.startswith((b"[attr]", b"!")):
            continue
        try:
            yield parse(text), states
        except Malformed:
            continue


def _word(text: bytes) -> tuple[bytes, bytes]:
    word = re.split(rb"[ \t\r]", text, maxsplit=1)[0]
    return word, text[len(word) :]


def _quoted(text: bytes) -> tuple[bytes, bytes] | None:
    """Read a pattern in double quotes with C's escapes; None where it is not one."""
    match = re.match(rb'"((?:[^"\\]|\\[abfnrtv"\\]|\\[0-3][0-7]{2})*)"', text)
    if match is None:
        return None
    return re.sub(rb"\\([0-7]{3}|.)", _escaped, match[1]), text[match.end() :]


def _escaped(match: re.Match[bytes]) -> bytes:
    return bytes([_ESCAPES[match[1]] if match[1] in _ESCAPES else int(match[1], 8)])


def _state(word: bytes) -> State:
    if word.startswith((b"-", b"!")):
        return word[1:], None if word.startswith(b"!") else False
    name, equals, value = word.partition(b"=")
    return name, value if equals else True
