"""Models side by side: what each is, how large, on what terms, and in which smaller forms it comes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.accounts.identity import Viewer
from hub.catalog import access, landing
from hub.catalog.clearing import RELEASED
from hub.catalog.errors import BadRequest
from hub.catalog.ggufs import Gguf, models_in
from hub.catalog.lookups import Located, find_repo, locate_heads
from hub.catalog.models import Repo
from hub.catalog.names import RepoName

MOST = 4
MAX_TARGETS = 5


@dataclass(frozen=True, slots=True)
class Made:
    """A smaller form of a model, and its relative error where that was measured."""

    repo: Repo
    model: Gguf
    error: float | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One model.  Numbers are None where no file told them."""

    repo: Repo
    architecture: str = ""
    shape: dict[str, int] = field(default_factory=dict)
    dtypes: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    quantizations: tuple[Made, ...] = ()

    @property
    def is_settled(self) -> bool:
        """True where a person or a policy has settled the terms."""
        return self.repo.clearance in RELEASED


def compare(viewer: Viewer, names: Sequence[RepoName]) -> list[Compared]:
    """Return models in the order in which they are named; raises BadRequest, RepoNotFound or Moved."""
    wanted = list(dict.fromkeys(names))
    if len(wanted) > MOST:
        raise BadRequest(f"At most {MOST} models stand side by side; {len(wanted)} were named.")
    repos = [find_repo(viewer, name) for name in wanted]
    heads = locate_heads(repos)
    return [_about(viewer, repo, heads.get(repo.pk)) for repo in repos]


def _about(viewer: Viewer, repo: Repo, at: Located | None) -> Compared:
    if at is None:
        return Compared(repo)
    facts, card = at.facts, at.card
    gguf = _dict(facts.get("gguf"))
    shape = dict(_dict(facts.get("shape")))
    if "context_length" not in shape and isinstance(gguf.get("context_length"), int):
        shape["context_length"] = gguf["context_length"]
    named = _strings(_dict(facts.get("config")).get("architectures"))
    parameters = _dict(_dict(facts.get("safetensors")).get("parameters"))
    return Compared(
        repo=repo,
        architecture=named[0] if named else str(gguf.get("architecture", ""))[:200],
        shape=shape,
        dtypes=tuple(sorted(parameters, key=lambda name: -parameters[name])),
        languages=_strings(card.get("language")),
        bases=tuple(repo.base_models[:3]),
        quantizations=tuple(_quantizations(viewer, at)),
    )


def _quantizations(viewer: Viewer, at: Located) -> list[Made]:
    """Return the model's GGUF files, also those in repos made from it, the finest first."""
    targets = list(access.visible_repos(viewer).filter(source=at.repo).order_by("key")[:MAX_TARGETS])
    found = [made for place in [at, *locate_heads(targets).values()] for made in _made(place)]
    return sorted(found, key=lambda made: (-made.model.bits, made.model.path))


def _made(at: Located) -> list[Made]:
    if "gguf" not in at.repo.tags:
        return []
    told = landing.qualities(at)
    return [
        Made(at.repo, model, quality.error if (quality := told.get(model.shards[0].sha256)) else None)
        for model in models_in(at.repo, at.tree)
    ]


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _strings(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(item[:100] for item in items[:20] if isinstance(item, str))
