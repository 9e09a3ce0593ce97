"""PURE of rows: what the small files of a model say about where it comes from.  Hostile content gives nothing."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from hub.catalog.cards import Claims
from licenses.ancestry import Relation

# The higher, the stronger; a weaker source never overrules the relation that a stronger one shows.
STRENGTH: Mapping[str, int] = {
    "reviewer": 120, "hub": 110, "bytes": 100, "tensors": 90, "gguf": 80, "adapter": 70, "mergekit": 60,
    "config": 50, "card": 40,
}  # fmt: skip
# What a reviewer writes where a named parent is none.
UNRELATED = "unrelated"
MAX_NAME = 200
MAX_PARENTS = 64
MAX_YAML = 256 * 1024
_ID = re.compile(r"(?:[A-Za-z0-9][\w.-]{0,95}/)?[A-Za-z0-9][\w.-]{0,95}\Z")
_ADDRESS = re.compile(r"https?://[^/\s]{1,200}/(?:models/)?([^/\s?#]{1,96}/[^/\s?#]{1,96})")
_LOW_RANK = re.compile(r"(?:^|[._/-])(?:lora|adapter|ia3|dora|loha|lokr)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that names a parent.  ``relation`` is '' where it does not say how the model came from it."""

    parent: str
    source: str
    relation: str = ""

    @property
    def key(self) -> str:
        return self.parent.lower()


def model_id(value: object) -> str:
    """Return the id of a model in what a file says: an id, or the last two parts of an address; '' for a local path."""
    if not isinstance(value, str) or len(value) > 2 * MAX_NAME:
        return ""
    text = value.strip().rstrip("/")
    if found := _ADDRESS.match(text):
        text = found[1]
    return text if _ID.match(text) and ".." not in text else ""


def from_card(claims: Claims) -> Iterator[Evidence]:
    """What the card declares.  An id that is none is kept as it stands: what cannot be found holds."""
    relation = claims.relation
    for name in claims.base_models[:MAX_PARENTS]:
        yield Evidence(model_id(name) or name[:MAX_NAME], "card", relation)
    for name in claims.words("datasets")[:MAX_PARENTS]:
        yield Evidence(name[:MAX_NAME], "card", Relation.DATASET)


def from_config(config: Mapping[str, Any]) -> Iterator[Evidence]:
    """``_name_or_path``: from what a training run was started."""
    if name := _foreign(config.get("_name_or_path")):
        yield Evidence(name, "config")


def from_adapter(config: Mapping[str, Any]) -> Iterator[Evidence]:
    if name := _foreign(config.get("base_model_name_or_path")):
        yield Evidence(name, "adapter", Relation.ADAPTER)


def from_mergekit(text: bytes) -> Iterator[Evidence]:
    """Every model that a merge recipe names."""
    if len(text) > MAX_YAML:
        return
    try:
        recipe = _plain_yaml(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return
    for name in dict.fromkeys(_models_in(recipe)):
        yield Evidence(name, "mergekit", Relation.MERGE)


def from_gguf(metadata: Mapping[str, Any]) -> Iterator[Evidence]:
    """``general.base_model.N`` in the header of a GGUF file."""
    for number in range(16):
        base = f"general.base_model.{number}"
        name = model_id(metadata.get(f"{base}.repo_url"))
        organization, title = metadata.get(f"{base}.organization"), metadata.get(f"{base}.name")
        if not name and isinstance(organization, str) and isinstance(title, str):
            name = model_id(f"{organization.strip().replace(' ', '-')}/{title.strip().replace(' ', '-')}")
        if name:
            yield Evidence(name, "gguf")


def looks_like_adapter(paths: Iterable[str], tensors: Iterable[str]) -> bool:
    """True where files or tensors are called as low-rank adapters are."""
    return any(_LOW_RANK.search(name) for name in (*paths, *tensors))


def settled(evidence: Iterable[Evidence], *, is_adapter: bool) -> list[tuple[Evidence, Relation]]:
    """Give every piece of evidence its relation: its own, what another says of that parent, or a fine-tune.

    Who calls full weights an adapter has fine-tuned them.
    """
    found = list(dict.fromkeys(evidence))
    told: dict[str, str] = {}
    for one in sorted(found, key=lambda one: -STRENGTH[one.source]):
        if one.relation:
            told.setdefault(one.key, one.relation)
    done = []
    for one in found:
        relation = Relation(one.relation or told.get(one.key) or Relation.FINETUNE)
        if relation is Relation.ADAPTER and not is_adapter:
            relation = Relation.FINETUNE
        done.append((one, relation))
    return done


def json_object(text: bytes) -> dict[str, Any]:
    """Return a JSON object, empty for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _foreign(value: object) -> str:
    """An id with a namespace; a bare name is a folder of whoever trained as often as a model."""
    name = model_id(value)
    return name if "/" in name else ""


def _plain_yaml(text: bytes) -> Any:
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("aliases are not read")
    return yaml.load(text, Loader=yaml.CSafeLoader)


def _models_in(value: Any, depth: int = 0) -> Iterator[str]:
    if depth > 8:
        return
    if isinstance(value, dict):
        for key, item in list(value.items())[:1000]:
            if key in ("model", "base_model", "path") and (name := _of_model(item)):
                yield name
            else:
                yield from _models_in(item, depth + 1)
    elif isinstance(value, list):
        for item in value[:1000]:
            yield from _models_in(item, depth + 1)


def _of_model(item: Any) -> str:
    """``namespace/name``, perhaps with ``+adapter`` or ``@revision`` behind it, or an object that says the path."""
    if isinstance(item, dict):
        item = item.get("model") if isinstance(item.get("model"), str | dict) else item.get("path")
        return _of_model(item) if item is not None else ""
    return _foreign(re.split(r"[+@]", item, maxsplit=1)[0]) if isinstance(item, str) else ""
