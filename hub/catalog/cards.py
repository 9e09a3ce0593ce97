"""PURE: what a model card's front matter claims.  A broken card is a warning, never a lost push.

Front matter is YAML between two ``---`` lines at the top of README.md.  It is untrusted: it is bounded, aliases are
refused (they can blow a few bytes up to gigabytes), and what cannot be kept as JSON is turned into text.
"""

import datetime
import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from licenses.identifiers import is_known_license

MAXFRONT_MATTER = 512 * 1024
MAX_DEPTH = 50
MAX_ITEMS = 1000
MAX_TAG_LENGTH = 200
# Longer numbers take long to read and say nothing.
MAX_SCALAR = 100

FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)(?:\r?\n)?^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
# Languages of two or three letters, a script, a region, variants; the codes for "several" and "none" tell no reader.
_LANGUAGE = re.compile(
    r"(?!(?:mul|und|mis|zxx|q[a-t][a-z])\b)[a-z]{2,3}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*",
    re.IGNORECASE,
)
_MISSING = "empty or missing yaml metadata in repo card"
_RELATIONS = ("finetune", "adapter", "merge", "quantized")


@dataclass(frozen=True, slots=True)
class Claims:
    """Front matter as a JSON-able dict, with everything that was wrong with it in words."""

    data: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def words(self, key: str) -> list[str]:
        """Return a claim that may be one word or a list of them, bounded and without blanks."""
        value = self.data.get(key)
        items = value if isinstance(value, list) else [value]
        texts = [item.strip()[:MAX_TAG_LENGTH] for item in items[:MAX_ITEMS] if isinstance(item, str)]
        return [text for text in texts if text]

    def word(self, key: str) -> str:
        """Return a claim that is one word, or ''."""
        return (self.words(key) or [""])[0][:100]

    @property
    def base_models(self) -> list[str]:
        return self.words("base_model")

    @property
    def relation(self) -> str:
        """How this model came from its base: what the card says, or finetune, which the hub's users mean."""
        relation = self.word("base_model_relation")
        return relation if relation in _RELATIONS else ("finetune" if self.base_models else "")

    @property
    def language(self) -> str:
        """The language that the card is written in, as BCP 47 has it: the only one that it names, or ''."""
        named = self.words("language")
        return named[0] if len(named) == 1 and _LANGUAGE.fullmatch(named[0]) else ""

    def tags(self) -> list[str]:
        """Return the searchable tags that follow from the claims, in a stable order and without doubles."""
        library, task = self.word("library_name"), self.word("pipeline_tag")
        found = [library, task, *self.words("tags"), *self.words("language")]
        found += [f"license:{name.lower()}" for name in self.words("license")]
        found += [f"dataset:{name}" for name in self.words("datasets")]
        for base in self.base_models:
            found += [f"base_model:{base}", f"base_model:{self.relation}:{base}"]
        return list(dict.fromkeys(tag[:MAX_TAG_LENGTH] for tag in found if tag))[:MAX_ITEMS]


def front_matter(text: str) -> str | None:
    """Return the YAML between the two ``---`` lines, or None."""
    match = FRONT.match(text)
    return match[1] if match else None


def body_of(text: str) -> str:
    """Return the card without its front matter."""
    return FRONT.sub("", text, count=1).lstrip("\r\n")


def parse_card(content: bytes) -> Claims:
    """Return the claims of a README; never raises."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return Claims(errors=["README.md is not UTF-8 text."])
    front = front_matter(text)
    if front is None or not front.strip():
        return Claims(warnings=[_MISSING])
    if len(front) > MAXFRONT_MATTER:
        return Claims(errors=[f"The metadata block is longer than {MAXFRONT_MATTER} characters."])
    try:
        _check_events(front)
        data = yaml.load(front, Loader=_Loader)  # noqa: S506 - it makes nothing that CSafeLoader does not.
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        return Claims(errors=[f"Invalid YAML in the metadata block: {' '.join(str(error).split())[:500]}"])
    if not isinstance(data, dict):
        return Claims(errors=["The metadata block must be a mapping of keys to values."])
    claims = Claims(data=_jsonable(data))
    _check_fields(claims)
    return claims


class _Loader(yaml.CSafeLoader):
    """Keeps as text what says it is a number, a date or a flag, and is none, or is too long to be read as one."""

    def read_scalar(self, node: yaml.ScalarNode) -> Any:
        """Return the value of a scalar by its tag."""
        if isinstance(node.value, str) and len(node.value) > MAX_SCALAR:
            return node.value
        try:
            return _SCALARS[node.tag](self, node)
        except (ValueError, KeyError, IndexError, AttributeError, OverflowError):
            return node.value


_SCALARS = {
    f"tag:yaml.org,2002:{name}": yaml.SafeLoader.yaml_constructors[f"tag:yaml.org,2002:{name}"]
    for name in ("bool", "int", "float", "timestamp")
}
for _tag in _SCALARS:
    _Loader.add_constructor(_tag, _Loader.read_scalar)


def _check_events(front: str) -> None:
    depth = 0
    for event in yaml.parse(front, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("aliases ('*name') are not accepted; write the value out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise ValueError(f"nested more than {MAX_DEPTH} levels deep")


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {_text(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_jsonable(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else str(value)[:100]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return _text(value)


def _text(value: object) -> str:
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat()
    # PostgreSQL's JSON takes neither the NUL character nor half a surrogate pair.
    return str(value).replace("\x00", "").encode("utf-8", "replace").decode()


def _check_fields(claims: Claims) -> None:
    for key in ("library_name", "pipeline_tag", "base_model_relation", "license_name", "license_link"):
        if key in claims.data and not isinstance(claims.data[key], str | None):
            claims.errors.append(f'"{key}" must be a string')
    for key in ("license", "language", "tags", "datasets", "base_model"):
        value = claims.data.get(key)
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str | None) for item in items):
            claims.errors.append(f'"{key}" must be a string or a list of strings')
    for name in claims.words("license"):
        if not is_known_license(name):
            claims.errors.append(f'"license" must be one of the known identifiers or "other", not {name!r}')
    relation = claims.word("base_model_relation")
    if relation and relation not in _RELATIONS:
        claims.errors.append(f'"base_model_relation" must be one of {", ".join(_RELATIONS)}')
