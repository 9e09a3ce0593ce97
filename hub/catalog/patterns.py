"""PURE: git's path patterns, as in ``.gitignore`` and ``.gitattributes``, matched all at once.

Patterns come from strangers, and one regular expression made of ``*a*a*a*b`` takes longer than anybody waits.  So all
patterns of a file become one automaton whose states are the bits of one number: a path is read once, byte by byte,
and each byte costs a few operations on that number, whatever the patterns are.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_SLASH = ord("/")
_EVERY = frozenset(range(256))
_UPPER, _LOWER = frozenset(range(65, 91)), frozenset(range(97, 123))
_DIGIT, _BLANK = frozenset(range(48, 58)), frozenset(b" \t")
_GRAPH = frozenset(range(33, 127))
_CLASSES = {
    b"alnum": _UPPER | _LOWER | _DIGIT, b"alpha": _UPPER | _LOWER, b"blank": _BLANK, b"digit": _DIGIT,
    b"cntrl": frozenset(range(32)) | {127}, b"graph": _GRAPH, b"lower": _LOWER, b"print": _GRAPH | {32},
    b"punct": _GRAPH - _UPPER - _LOWER - _DIGIT, b"space": frozenset(b" \t\n\v\f\r"), b"upper": _UPPER,
    b"xdigit": _DIGIT | frozenset(b"abcdefABCDEF"),
}  # fmt: skip

# An atom is the set of bytes it takes, or one of these three.
_STAR = frozenset({"any within a folder"})
_STARS = frozenset({"any"})
_FOLDERS = frozenset({"nothing, or any up to a slash"})
Atom = frozenset[int] | frozenset[str]


class Malformed(ValueError):
    """The pattern can match nothing, as git sees it: a set without its end, or a class without a meaning."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern: what it is made of, whether it has to match the whole path, and whether only folders."""

    atoms: tuple[Atom, ...]
    is_path: bool
    is_folder: bool


def parse(text: bytes) -> Pattern:
    """Read a pattern without its leading ``!``; raises Malformed."""
    is_folder = text.endswith(b"/")
    text = text.removesuffix(b"/")
    is_path = b"/" in text
    return Pattern(tuple(_atoms(text.removeprefix(b"/"), is_path=is_path)), is_path, is_folder)


def _atoms(text: bytes, *, is_path: bool) -> Iterator[Atom]:
    at, last = 0, None
    while at < len(text):
        atom, after = _atom(text, at, is_path=is_path)
        if atom != _FOLDERS or last != _FOLDERS:
            yield atom
        at, last = after, atom


def _atom(text: bytes, at: int, *, is_path: bool) -> tuple[Atom, int]:
    """Return the atom that begins here, and where the next one does."""
    match text[at : at + 1]:
        case b"*":
            return _stars(text, at, is_path=is_path)
        case b"?":
            return _EVERY - {_SLASH}, at + 1
        case b"[":
            return _set(text, at + 1)
        case b"\\":
            if at + 1 == len(text):
                raise Malformed("a backslash at the end")
            return frozenset({text[at + 1]}), at + 2
    return frozenset({text[at]}), at + 1


def _stars(text: bytes, at: int, *, is_path: bool) -> tuple[Atom, int]:
    end = at
    while text[end : end + 1] == b"*":
        end += 1
    begins = at == 0 or text[at - 1] == _SLASH
    if not (is_path and end - at > 1 and begins):
        return _STAR, end
    if text[end : end + 1] == b"/":
        return _FOLDERS, end + 1
    return (_STARS if end == len(text) or text[end : end + 2] == b"\\/" else _STAR), end


def _set(text: bytes, at: int) -> tuple[Atom, int]:
    """Read ``abc]``, ``!a-z]`` or ``[:alpha:]]``; a ``]`` in front stands for itself, and no set takes a slash."""
    negated = text[at : at + 1] in (b"!", b"^")
    at += negated
    found: set[int] = set()
    first, last = True, -1
    while first or text[at : at + 1] != b"]":
        first = False
        taken, last, at = _member(text, at, last)
        found |= taken
    return (_EVERY - found if negated else frozenset(found)) - {_SLASH}, at + 1


def _member(text: bytes, at: int, last: int) -> tuple[frozenset[int], int, int]:
    """Return the bytes of one member of a set, the byte that a range may begin with (or -1), and what follows."""
    if text[at : at + 2] == b"[:":
        end = text.find(b"]", at + 2)
        if end < 0:
            raise Malformed("a set without its end")
        if end > at + 2 and text[end - 1 : end] == b":":
            if text[at + 2 : end - 1] not in _CLASSES:
                raise Malformed("a class without a meaning")
            return _CLASSES[text[at + 2 : end - 1]], -1, end + 1
    if text[at : at + 1] == b"-" and last >= 0 and text[at + 1 : at + 2] not in (b"", b"]"):
        high, after = _plain(text, at + 1)
        return frozenset(range(last, high + 1)), -1, after
    byte, after = _plain(text, at)
    return frozenset({byte}), byte, after


def _plain(text: bytes, at: int) -> tuple[int, int]:
    at += text[at : at + 1] == b"\\"
    if at >= len(text):
        raise Malformed("a set without its end")
    return text[at], at + 1


class Matcher:
    """Many patterns at once.  The patterns keep their order: what `last` and `all_of` return counts from 0."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._ends: list[int] = []
        size = sum(len(pattern.atoms) + 1 for pattern in patterns)
        rows = [bytearray(size // 8 + 1) for _ in range(256)]
        marks = {
            name: bytearray(size // 8 + 1)
            for name in ("start", "name", "star", "stars", "folders", "end", "file")
        }
        at = 0
        for pattern in patterns:
            _mark(marks["start" if pattern.is_path else "name"], at)
            for atom in pattern.atoms:
                _put(rows, marks, at, atom)
                at += 1
            _mark(marks["end"], at)
            if not pattern.is_folder:
                _mark(marks["file"], at)
            self._ends.append(at)
            at += 1
        self._takes = [int.from_bytes(row, "little") for row in rows]
        for name, bits in marks.items():
            setattr(self, f"_{name}", int.from_bytes(bits, "little"))

    _start: int
    _name: int
    _star: int
    _stars: int
    _folders: int
    _end: int
    _file: int

    def last_of(self, path: bytes) -> Iterator[int | None]:
        """Yield the last pattern that matches each folder above a path, outermost first, and then the path itself."""
        for state, is_file in self._states(path):
            ended = state & (self._file if is_file else self._end)
            yield bisect_right(self._ends, ended.bit_length() - 1) - 1 if ended else None

    def ends_of(self, path: bytes) -> int:
        """Return which patterns match a file, as a number to hand to `each`."""
        *_, (state, _) = self._states(path)
        return state & self._file

    def each(self, ends: int) -> Iterator[int]:
        """Yield the patterns of `ends_of`, the last one first."""
        while ends:
            top = ends.bit_length() - 1
            yield bisect_right(self._ends, top) - 1
            ends ^= 1 << top

    def _states(self, path: bytes) -> Iterator[tuple[int, bool]]:
        state = self._entered(self._start | self._name, 0)
        for byte in path:
            if byte == _SLASH:
                yield state, False
                moved = (state & self._takes[byte]) << 1 | self._name
                state = self._entered(moved, state & (self._stars | self._folders))
            else:
                moved = (state & self._takes[byte]) << 1
                state = self._entered(moved, state & (self._star | self._stars | self._folders))
        yield state, True

    def _entered(self, moved: int, stayed: int) -> int:
        """``**/`` may stand for nothing only as it is reached, a star at any time."""
        state = moved | (moved & self._folders) << 1 | stayed
        return state | (state & (self._star | self._stars)) << 1


def _mark(bits: bytearray, at: int) -> None:
    bits[at >> 3] |= 1 << (at & 7)


def _put(rows: list[bytearray], marks: dict[str, bytearray], at: int, atom: Atom) -> None:
    if atom == _STAR:
        _mark(marks["star"], at)
    elif atom == _STARS:
        _mark(marks["stars"], at)
    elif atom == _FOLDERS:
        _mark(marks["folders"], at)
        _mark(rows[_SLASH], at)
    else:
        for byte in atom:
            _mark(rows[byte], at)  # type: ignore[index]
