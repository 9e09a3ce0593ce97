"""Numbers of special tokens, what is put around a text, merges, chat templates and normalizers."""

from collections.abc import Iterator, Mapping
from typing import Any

from workers.converting.documents import MAX_CARD, optional_object, read_bytes
from workers.converting.errors import ConvertError
from workers.converting.plan import Work
from workers.converting.words.around import Around, read_around

# Kinds that have a key; a class token has none.
WRITTEN = ("bos", "eos", "unk", "sep", "pad", "mask", "eot", "eom")
ADDED = ("bos", "eos", "sep")
WIDE = "\u0120"


def add_special(
    work: Work, *, merges: bool = False, tokens: int | None = None, ids: Mapping[str, int] | None = None
) -> None:
    """Write what the files tell; `ids` stand where they tell none of a kind, numbers from `tokens` on do not count."""
    tokenizer = optional_object(work.folder / "tokenizer.json")
    config = optional_object(work.folder / "tokenizer_config.json")
    around = read_around(tokenizer, config)
    if merges:
        work.keys.add_token_merges(_merges(work, tokenizer))
    for kind, number in _numbers(work, tokenizer, around, tokens, ids or {}).items():
        if kind in WRITTEN:
            getattr(work.keys, f"add_{kind}_token_id")(number)
    for kind, value in around.adds.items():
        if kind in ADDED:
            getattr(work.keys, f"add_add_{kind}_token")(value)
    if (template := _chat_template(work, config)) is not None:
        work.keys.add_chat_template(template)
    for key, value in _normalizers(tokenizer.get("normalizer")):
        work.keys.add_bool(f"tokenizer.ggml.normalizer.{key}", value)


def _merges(work: Work, tokenizer: Mapping[str, Any]) -> list[str]:
    """Merges as one string each, in whichever form they are kept; spaces inside a part are written as byte pairs do."""
    model = tokenizer.get("model")
    found = model.get("merges") if isinstance(model, Mapping) else None
    if not isinstance(found, list) or not found:
        raise ConvertError(
            f"{work.folder / 'tokenizer.json'}: holds no merges; a byte-level vocabulary needs them"
        )
    merges = [pair if isinstance(pair, str) else _merge(pair) for pair in found]
    if any(merge is None for merge in merges):
        raise ConvertError(f"{work.folder / 'tokenizer.json'}: holds merges that are no pairs")
    return [merge for merge in merges if merge is not None]


def _merge(pair: Any) -> str | None:
    if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(part, str) for part in pair):
        return None
    return " ".join(part.replace(" ", WIDE) for part in pair)


def _numbers(
    work: Work, tokenizer: Mapping[str, Any], around: Around, tokens: int | None, ids: Mapping[str, int]
) -> dict[str, int]:
    """First the added tokens of tokenizer.json, then config.json, then what the family brings."""
    added = tokenizer.get("added_tokens")
    by_text: dict[str, Any] = {}
    for token in added if isinstance(added, list) else ():
        if isinstance(token, Mapping) and isinstance(token.get("content"), str):
            by_text.setdefault(token["content"], token.get("id"))
    text = work.settings.raw.get("text_config")
    found: dict[str, int] = {}
    told = [(kind, by_text.get(around.text(kind) or "")) for kind in around.kinds] if around.config else []
    for kind in around.kinds:
        number = work.settings.raw.get(f"{kind}_token_id")
        if number is None and isinstance(text, Mapping):
            number = text.get(f"{kind}_token_id")
        told.append((kind, number))
    for kind, number in (*told, *ids.items()):
        if type(number) is int and number >= 0 and (tokens is None or number < tokens):
            found.setdefault(kind, number)
    return found


def _chat_template(work: Work, config: Mapping[str, Any]) -> Any:
    """The template of tokenizer_config.json, or of a file of its own."""
    found = config.get("chat_template")
    path = work.folder / "chat_template.jinja"
    if found is None and config:
        if path.is_file():
            found = read_bytes(path, MAX_CARD).decode("utf-8", "replace")
        else:
            found = optional_object(path.with_suffix(".json")).get("chat_template")
    if isinstance(found, list):
        whole = [
            item
            for item in found
            if isinstance(item, Mapping)
            and isinstance(item.get("name"), str)
            and isinstance(item.get("template"), str)
        ]
        return whole or None
    return found if isinstance(found, str) else None


def _normalizers(told: Any) -> Iterator[tuple[str, bool]]:
    """Lower-casing and stripping of accents, where the tokenizer says so."""
    found: dict[str, bool] = {}
    steps = [told]
    while steps:
        step = steps.pop(0)
        if not isinstance(step, Mapping):
            continue
        kind = step.get("type")
        if kind == "Sequence" and isinstance(step.get("normalizers"), list):
            steps = [*step["normalizers"], *steps]
        elif kind == "Lowercase":
            found["lowercase"] = True
        elif kind == "StripAccents":
            found["strip_accents"] = True
        elif kind == "BertNormalizer":
            found |= {
                key: step[key] for key in ("lowercase", "strip_accents") if isinstance(step.get(key), bool)
            }
    for key in ("lowercase", "strip_accents"):
        if key in found:
            yield key, found[key]
