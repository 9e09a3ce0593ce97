"""What a tokenizer puts before, behind and between texts, read from its post-processor.

The rules are those of llama.cpp's converter, odd ones included: a reader of the file behaves as the model's makers
expect only if both sides agree.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from workers.converting.words.fast import text_of

KINDS = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")


@dataclass(slots=True)
class Around:
    """Texts of special tokens by kind, and which kinds are added to a text."""

    config: dict[str, Any]
    kinds: list[str] = field(default_factory=lambda: list(KINDS))
    adds: dict[str, bool] = field(default_factory=dict)

    def text(self, kind: str) -> str | None:
        return text_of(self.config.get(f"{kind}_token"))

    def set(self, kind: str, value: Any) -> None:
        self.config[f"{kind}_token"] = value


def read_around(tokenizer: Mapping[str, Any], config: Mapping[str, Any]) -> Around:
    """Settle special tokens and what is added, from both files."""
    around = Around(dict(config))
    for kind, other in (("bos", "cls"), ("eos", "sep")):
        if not around.text(kind) and around.text(other):
            around.set(kind, around.config[f"{other}_token"])
    for step in _steps(tokenizer.get("post_processor")):
        name = step.get("type")
        if name == "ByteLevel":
            around.adds.setdefault("bos", False)
            around.adds.setdefault("eos", False)
        elif name == "RobertaProcessing":
            _roberta(around, step)
        elif name == "TemplateProcessing":
            _template(around, step)
    for added in around.kinds:
        told = around.config.get(f"add_{added}_token")
        if isinstance(told, bool):
            around.adds.setdefault(added, told)
    return around


def _steps(told: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(told, Mapping):
        steps = told.get("processors", [told])
        yield from (step for step in steps if isinstance(step, Mapping))


def _roberta(around: Around, step: Mapping[str, Any]) -> None:
    around.adds |= {"bos": True, "eos": True, "sep": True}
    for kind, name in (("cls", "cls"), ("sep", "sep")):
        pair = step.get(name)
        if not around.text(kind) and isinstance(pair, list) and pair:
            around.set(kind, pair[0])


def _template(around: Around, step: Mapping[str, Any]) -> None:
    single, pair = _items(step, "single"), _items(step, "pair")
    first = last = None
    if len(single) > 1:
        first, last = single[0][0], single[-1][0]
        if first:
            _begin(around, first)
        if last:
            _end(around, last)
    start = 1 if first and pair and pair[0][0] == first else 0
    stop = -1 if last and pair and pair[-1][0] == last else None
    inner = pair[start:stop]
    if inner:
        _between(around, inner, closed=bool(last))


def _items(step: Mapping[str, Any], name: str) -> list[tuple[str | None, str | None]]:
    """A template's items: the special token or the sequence that each stands for."""
    found = step.get(name)
    items = [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []
    return [(_id(item.get("SpecialToken")), _id(item.get("Sequence"))) for item in items]


def _id(told: Any) -> str | None:
    found = told.get("id") if isinstance(told, Mapping) else None
    return found if isinstance(found, str) else None


def _begin(around: Around, first: str) -> None:
    if first not in (around.text("bos"), around.text("cls")):
        for kind in ("bos", "cls"):
            if not around.text(kind):
                around.set(kind, first)
    around.adds["bos"] = first in (around.text("bos"), around.text("cls"))


def _end(around: Around, last: str) -> None:
    """A text that ends otherwise than the config says: its token becomes the end, the config's the end of a turn."""
    if last != around.text("eos"):
        for kind in ("eot", "eom"):
            if kind not in around.kinds:
                around.kinds.append(kind)
                around.set(kind, around.config.get("eos_token"))
                break
        around.set("eos", last)
    around.adds["eos"] = True


def _between(around: Around, inner: list[tuple[str | None, str | None]], *, closed: bool) -> None:
    if inner[0][1] != "A" or inner[-1][1] != "B" or len(inner) < 3:
        return
    ends = (around.text("sep"), around.text("eos"))
    middle = [token for token, _ in inner[1:-1]]
    add = middle[0] is not None and middle[0] in ends and not closed
    if len(middle) == 2 and middle[1] is not None and middle[1] in ends:
        add = True
    around.adds["sep"] = add
    if add and not around.text("sep"):
        around.set("sep", around.config.get("eos_token"))
