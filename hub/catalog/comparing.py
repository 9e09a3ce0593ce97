"""Models side by side: what each is, how large, on what terms, and in which smaller forms it comes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.accounts.identity import Viewer
from hub.catalog import family, landing, memory
from hub.catalog.clearing import RELEASED
from hub.catalog.errors import BadRequest
from hub.catalog.ggufs import Gguf, headers_of, models_in, need_of
from hub.catalog.lookups import Located, find_repo, locate_heads
from hub.catalog.memory import Need
from hub.catalog.models import Repo
from hub.catalog.names import RepoName
from hub.catalog.proofs import sizes_of

MOST = 4
MAX_TARGETS = 5


@dataclass(frozen=True, slots=True)
class Made:
    """A smaller form of a model, what memory it takes, and its relative error where that was measured."""

    repo: Repo
    model: Gguf
    error: float | None
    need: Need | None
    header: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Compared:
    """One model.  What no file told is missing from its shape; ``need`` is that of its checkpoint."""

    repo: Repo
    architecture: str = ""
    shape: dict[str, int] = field(default_factory=dict)
    dtypes: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    quantizations: tuple[Made, ...] = ()
    need: Need | None = None
    size: int = 0

    @property
    def needs(self) -> list[tuple[str, int]]:
        """The forms that it comes in, and what memory each takes, the finest first; "" is the checkpoint."""
        stored = [("", self.need.total)] if self.need else []
        return stored + [
            (made.model.file_type or made.model.path, made.need.total)
            for made in self.quantizations
            if made.need
        ]

    def best(self, device: int) -> tuple[str, int] | None:
        """Return the finest form that fits a device, in GB."""
        return next((form for form in self.needs if form[1] <= device * memory.GB), None)

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
    heads, sizes = locate_heads(repos), sizes_of(repos)
    return [_about(viewer, repo, heads.get(repo.pk), sizes.get(repo.pk, 0)) for repo in repos]


def _about(viewer: Viewer, repo: Repo, at: Located | None, size: int) -> Compared:
    if at is None:
        return Compared(repo)
    facts, card = at.facts, at.card
    gguf = _dict(facts.get("gguf"))
    made = _quantizations(viewer, at)
    own = [one for one in made if one.repo == repo]
    shape = (_shape_in(own[0].header) if own else {}) | _dict(facts.get("shape"))
    named = _strings(_dict(facts.get("config")).get("architectures"))
    parameters = _dict(_dict(facts.get("safetensors")).get("parameters"))
    return Compared(
        repo=repo,
        architecture=named[0] if named else str(gguf.get("architecture", ""))[:200],
        shape=shape,
        dtypes=tuple(sorted(parameters, key=lambda name: -parameters[name]))
        or tuple(dict.fromkeys(one.model.file_type for one in own if one.model.file_type)),
        languages=_strings(card.get("language")),
        bases=tuple(repo.base_models[:3]),
        quantizations=tuple(made),
        need=memory.need_of_checkpoint(facts),
        size=size,
    )


# What a shape calls a number, and what the header of a GGUF file calls it behind its architecture.
_HEADED = {"layers": "block_count", "hidden_size": "embedding_length", "experts": "expert_count",
           "context_length": "context_length", "vocabulary": "vocab_size"}  # fmt: skip


def _shape_in(header: dict[str, Any]) -> dict[str, int]:
    architecture = str(header.get("general.architecture", ""))
    told = {name: header.get(f"{architecture}.{key}") for name, key in _HEADED.items()}
    tokens = header.get("tokenizer.ggml.tokens")
    told["vocabulary"] = told["vocabulary"] or _dict(tokens).get("len")
    return {name: value for name, value in told.items() if type(value) is int and value > 0}


def _quantizations(viewer: Viewer, at: Located) -> list[Made]:
    """Return the model's GGUF files, also those in repos made from it, the finest first."""
    targets = family.own_forms(viewer, at.repo, MAX_TARGETS)
    found = [made for place in [at, *locate_heads(targets).values()] for made in _made(place)]
    return sorted(found, key=lambda made: (-made.model.bits, made.model.path))


def _made(at: Located) -> list[Made]:
    if "gguf" not in at.repo.tags:
        return []
    told, models = landing.qualities(at), models_in(at.repo, at.tree)
    return [
        Made(
            at.repo, model, quality.error if (quality := told.get(model.shards[0].sha256)) else None,
            need_of(model, header, memory.DEFAULT_CONTEXT), header,
        )
        for model, header in zip(models, headers_of(models), strict=True)
    ]  # fmt: skip


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _strings(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(item[:100] for item in items[:20] if isinstance(item, str))
