"""Walks a large JSON object member by member, so that a hostile one never becomes a tree of Python objects.

The text is held as latin-1, one byte a character whatever the file contains; a string with other than ASCII
bytes is decoded as UTF-8 by itself. Structure is ASCII in any case, so nothing is lost.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from workers.formats.findings import FormatError
from workers.formats.layout import U64

DIGITS = len(str(U64))
SPACE = re.compile(r"[ \t\n\r]*")


def whole(digits: str) -> int:
    """A JSON integer from 0 to 2**64 - 1; anything else, -0 too, becomes -1, which no field allows."""
    if len(digits) < DIGITS and digits[0] != "-":
        return int(digits)
    return int(digits) if len(digits) == DIGITS and 0 < int(digits) <= U64 else -1


def unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise FormatError("duplicate-key", f"the key {name[:200]!r} is given twice in one object")
        members[name] = value
    return members


def refuse_constant(name: str) -> Any:
    raise FormatError("bad-json", f"{name} is not JSON")


DECODER = json.JSONDecoder(object_pairs_hook=unique_members, parse_int=whole, parse_constant=refuse_constant)


def well_formed(text: str) -> str:
    """Refuse half a surrogate pair: it has no UTF-8 form, so no reader could hand the string on."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise FormatError("bad-json", f"a string holds half a surrogate pair: {text[:100]!r}") from error
    return text


class JsonWalk:
    """A position in the text of one JSON object."""

    def __init__(self, raw: bytes) -> None:
        self.text = raw.decode("latin-1")
        self.at = 0

    def fault(self, message: str) -> FormatError:
        return FormatError("bad-json", f"{message} at byte {self.at} of the header")

    def skip_space(self) -> str:
        """Move to the next character that is not space, and answer it; '' at the end."""
        here = self.text[self.at : self.at + 1]
        if here not in " \t\n\r" or not here:
            return here
        match = SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def take(self, character: str) -> None:
        if self.skip_space() != character:
            raise self.fault(f"expected {character!r}")
        self.at += 1

    def string(self, *, limit: int, what: str) -> str:
        """The string at this position; its JSON text must not be longer than the limit, in bytes."""
        if self.skip_space() != '"':
            raise self.fault(f"expected {what}, a string")
        start = self.at
        value = self._decoded(start)
        if self.at - start > limit:
            raise FormatError("too-long", f"{what} takes {self.at - start} bytes; the limit is {limit}")
        if not self.text[start : self.at].isascii():
            value = _utf8(self.text[start : self.at])
        return well_formed(value)

    def _decoded(self, start: int) -> str:
        try:
            value, self.at = DECODER.raw_decode(self.text, start)
        except ValueError as error:
            raise self.fault("unreadable string") from error
        return str(value)

    def keys(self, *, limit: int, what: str) -> Iterator[str]:
        """Each key of the object at this position. The caller moves past a value before the next key."""
        self.take("{")
        if self.skip_space() == "}":
            self.at += 1
            return
        while True:
            key = self.string(limit=limit, what=what)
            self.take(":")
            yield key
            if self.skip_space() == "}":
                self.at += 1
                return
            self.take(",")

    def flat_object(self, *, limit: int) -> dict[str, Any]:
        """The object at this position, which may hold no other object and takes at most `limit` bytes."""
        if self.skip_space() != "{":
            raise self.fault("expected an object")
        end = self.text.find("}", self.at, self.at + limit) + 1
        if not end:
            raise self.fault(f"the object does not end within {limit} bytes")
        text = self.text[self.at : end]
        self.at = end
        return json_object(text if text.isascii() else _utf8_text(text))

    def null(self) -> bool:
        """Whether null is at this position; moves past it."""
        self.skip_space()
        found = self.text.startswith("null", self.at)
        self.at += 4 if found else 0
        return found

    def finish(self) -> None:
        if self.skip_space():
            raise self.fault("something follows the closing brace")


def _utf8_text(latin: str) -> str:
    try:
        return latin.encode("latin-1").decode()
    except UnicodeDecodeError as error:
        raise FormatError("bad-utf8", f"the header is not UTF-8 near {latin[:100]!r}") from error


def _utf8(latin: str) -> str:
    return str(json.loads(_utf8_text(latin)))


def json_object(text: str) -> dict[str, Any]:
    """One JSON object without duplicate keys. The caller has bounded its length."""
    try:
        value, end = DECODER.raw_decode(text := text.lstrip(" \t\n\r"))
    except (ValueError, RecursionError) as error:
        raise FormatError("bad-json", f"not JSON: {error}") from error
    if not isinstance(value, dict) or text[end:].strip(" \t\n\r"):
        raise FormatError("bad-json", "expected one object and nothing behind it")
    return value
