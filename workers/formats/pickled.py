"""Pickles read as data: a walk over opcodes that knows a few of them and calls nothing that a pickle names.

A pickle is a program, and loading one runs it. Here it can only build numbers, texts, tuples, lists and dicts; names
are looked up in a list given by the caller, and what stands for a call is a function of the caller's own. Everything
else is refused by name. Opcodes are counted, lengths are those of the bytes that are there, and nothing recurses.
"""

import struct
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from workers.formats.findings import FormatError

# Thousands of tensors take some ten thousands of them.
MAX_OPERATIONS = 2_000_000
MAX_NAME = 512
MAX_PROTOCOL = 5
STOP = ord(".")
FLOAT = struct.Struct(">d")

Maker = Callable[[tuple[Any, ...]], object]


class Name(NamedTuple):
    """Something that a pickle asks for by module and name; it stays a name."""

    name: str


@dataclass(slots=True)
class Rules:
    """What a pickle may ask for: calls by name, names that are only handed on, and objects kept elsewhere."""

    calls: Mapping[str, Maker]
    names: Collection[str]
    persistent: Maker


@dataclass(slots=True)
class Walk:
    data: bytes
    rules: Rules
    at: int = 0
    stack: list[Any] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    operations: int = 0

    def take(self, length: int) -> bytes:
        if length > len(self.data) - self.at:
            raise FormatError("truncated", f"the pickle ends within an item at byte {self.at}")
        raw = self.data[self.at : self.at + length]
        self.at += length
        return raw

    def number(self, length: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(length), "little", signed=signed)

    def line(self) -> str:
        end = self.data.find(b"\n", self.at, self.at + MAX_NAME)
        if end < 0:
            raise FormatError("bad-pickle", f"the pickle has a name without an end at byte {self.at}")
        raw = self.take(end - self.at)
        self.at += 1
        return raw.decode("utf-8", "replace")

    def pop(self) -> Any:
        """The top of the stack, never below the last mark."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise FormatError("bad-pickle", f"the pickle takes what it has not made at byte {self.at}")
        return self.stack.pop()

    def top(self, kind: type[Any]) -> Any:
        value = self.pop()
        self.stack.append(value)
        return self.expect(value, kind)

    def expect(self, value: Any, kind: type[Any]) -> Any:
        if type(value) is not kind:
            told = type(value).__name__
            raise FormatError(
                "bad-pickle", f"the pickle has a {told} for a {kind.__name__} at byte {self.at}"
            )
        return value

    def marked(self) -> list[Any]:
        """All that was put on the stack since the last mark."""
        if not self.marks:
            raise FormatError("bad-pickle", f"the pickle has no mark to go back to at byte {self.at}")
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items


def read_pickle(data: bytes, rules: Rules, at: int = 0) -> tuple[object, int]:
    """The object of the pickle at an offset, and where it ends. Raises FormatError for anything unexpected."""
    walk = Walk(data, rules, at)
    while True:
        code = walk.number(1)
        walk.operations += 1
        if walk.operations > MAX_OPERATIONS:
            raise FormatError("too-long", f"the pickle has more than {MAX_OPERATIONS} operations")
        if code == STOP:
            return walk.pop(), walk.at
        operation = OPERATIONS.get(code)
        if operation is None:
            raise FormatError(
                "refused-operation",
                f"the pickle has operation {bytes([code])!r} at byte {walk.at - 1}, which no file of tensors needs",
            )
        operation(walk)


def _push(read: Callable[[Walk], object]) -> Callable[[Walk], None]:
    return lambda walk: walk.stack.append(read(walk))


def _tuple(length: int) -> Callable[[Walk], None]:
    def make(walk: Walk) -> None:
        items = [walk.pop() for _ in range(length)]
        walk.stack.append(tuple(reversed(items)))

    return make


def _text(width: int) -> Callable[[Walk], None]:
    return _push(lambda walk: walk.take(walk.number(width)).decode("utf-8", "replace"))


def _raw(width: int) -> Callable[[Walk], None]:
    return _push(lambda walk: walk.take(walk.number(width)))


def _mark(walk: Walk) -> None:
    walk.marks.append(len(walk.stack))


def _append(walk: Walk) -> None:
    item = walk.pop()
    walk.top(list).append(item)


def _extend(walk: Walk) -> None:
    items = walk.marked()
    walk.top(list).extend(items)


def _set_item(walk: Walk) -> None:
    value, key = walk.pop(), walk.pop()
    _put(walk, [key, value])


def _set_items(walk: Walk) -> None:
    _put(walk, walk.marked())


def _put(walk: Walk, items: list[Any]) -> None:
    target = walk.top(dict)
    if len(items) % 2:
        raise FormatError("bad-pickle", f"the pickle has a key without a value at byte {walk.at}")
    put_all(target, zip(items[::2], items[1::2], strict=True))


def put_all(target: dict[Any, Any], pairs: Any) -> None:
    """Put pairs into a dict; a key that needs a long hash, or is given twice, is refused."""
    for key, value in pairs:
        if type(key) not in (str, int):
            raise FormatError("bad-pickle", f"the pickle has a {type(key).__name__} for a key")
        if key in target:
            raise FormatError("duplicate-key", f"the pickle gives {str(key)[:200]!r} twice")
        target[key] = value


def _remember(walk: Walk, place: int) -> None:
    walk.memo[place] = walk.pop()
    walk.stack.append(walk.memo[place])


def _recall(width: int) -> Callable[[Walk], None]:
    def recall(walk: Walk) -> None:
        place = walk.number(width)
        if place not in walk.memo:
            raise FormatError("bad-pickle", f"the pickle recalls what it has not kept at byte {walk.at}")
        walk.stack.append(walk.memo[place])

    return recall


def _name(walk: Walk, module: object, name: object) -> None:
    full = f"{walk.expect(module, str)[:MAX_NAME]}.{walk.expect(name, str)[:MAX_NAME]}"
    if full not in walk.rules.calls and full not in walk.rules.names:
        raise FormatError(
            "refused-name",
            f"the pickle asks for {full[:200]!r}, which no file of tensors needs; it was not called, and the file "
            "is not read",
        )
    walk.stack.append(Name(full))


def _stack_name(walk: Walk) -> None:
    name, module = walk.pop(), walk.pop()
    _name(walk, module, name)


def _call(walk: Walk) -> None:
    arguments = walk.expect(walk.pop(), tuple)
    called: Name = walk.expect(walk.pop(), Name)
    make = walk.rules.calls.get(called.name)
    if make is None:
        raise FormatError("refused-call", f"the pickle calls {called.name!r}, which is only a name")
    walk.stack.append(make(arguments))


def _build(walk: Walk) -> None:
    """Attributes of a dict are dropped: PyTorch's own keep versions of modules there."""
    walk.expect(walk.pop(), dict)
    walk.top(dict)


def _protocol(walk: Walk) -> None:
    if walk.number(1) > MAX_PROTOCOL:
        raise FormatError("bad-pickle", f"the pickle is of a protocol above {MAX_PROTOCOL}")


def _frame(walk: Walk) -> None:
    walk.take(8)


OPERATIONS: dict[int, Callable[[Walk], None]] = {
    ord(code): operation
    for code, operation in {
        b"\x80": _protocol,
        b"\x95": _frame,
        b"(": _mark,
        b"N": _push(lambda walk: None),
        b"\x88": _push(lambda walk: True),
        b"\x89": _push(lambda walk: False),
        b"K": _push(lambda walk: walk.number(1)),
        b"M": _push(lambda walk: walk.number(2)),
        b"J": _push(lambda walk: walk.number(4, signed=True)),
        b"\x8a": _push(lambda walk: walk.number(walk.number(1), signed=True)),
        b"G": _push(lambda walk: FLOAT.unpack(walk.take(8))[0]),
        b"U": _text(1),
        b"T": _text(4),
        b"\x8c": _text(1),
        b"X": _text(4),
        b"\x8d": _text(8),
        b"C": _raw(1),
        b"B": _raw(4),
        b"\x8e": _raw(8),
        b")": _push(lambda walk: ()),
        b"]": _push(lambda walk: []),
        b"}": _push(lambda walk: {}),
        b"\x85": _tuple(1),
        b"\x86": _tuple(2),
        b"\x87": _tuple(3),
        b"t": _push(lambda walk: tuple(walk.marked())),
        b"a": _append,
        b"e": _extend,
        b"s": _set_item,
        b"u": _set_items,
        b"q": lambda walk: _remember(walk, walk.number(1)),
        b"r": lambda walk: _remember(walk, walk.number(4)),
        b"\x94": lambda walk: _remember(walk, len(walk.memo)),
        b"h": _recall(1),
        b"j": _recall(4),
        b"c": lambda walk: _name(walk, walk.line(), walk.line()),
        b"\x93": _stack_name,
        b"R": _call,
        b"b": _build,
        b"Q": lambda walk: walk.stack.append(walk.rules.persistent(walk.expect(walk.pop(), tuple))),
    }.items()
}
