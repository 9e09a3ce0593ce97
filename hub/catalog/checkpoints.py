"""The checkpoint that a commit holds: config.json beside model*.safetensors, and what its inspection said of it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.catalog import jobs
from hub.catalog.ggufnames import stem_of
from hub.catalog.models import Repo, RepoBlob
from hub.catalog.revisions import Located
from hub.catalog.trees import Entry, files

CONFIG, INDEX, MODULES = "config.json", "model.safetensors.index.json", "modules.json"
# Where an inspection writes what a conversion would make, or why it cannot.
FACT = "checkpoint"
# Whatever else is at hand is no input, so it cannot change the outcome.
_BESIDE = frozenset({
    CONFIG, INDEX, MODULES, "README.md", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
    "tokenizer.model", "added_tokens.json", "special_tokens_map.json", "chat_template.jinja", "chat_template.json",
})  # fmt: skip
_WEIGHTS = re.compile(r"model[^/]*\.safetensors\Z")
_SHARD = re.compile(r"model-[0-9]{5}-of-[0-9]{5}\.safetensors\Z")
_POOLING = re.compile(r"[^/]+/config\.json\Z")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint: the files that are read, and why it cannot be converted, if it cannot.

    ``base_type`` and ``base_size`` are those of the GGUF file that every quantization is made from; ``sizes`` are about
    what files of each type take, None where nobody has reckoned yet.
    """

    repo_name: str
    files: tuple[Entry, ...]
    architecture: str
    base_type: str
    base_size: int
    weights: int
    problem: str
    sizes: Mapping[str, int] | None = None

    @property
    def path(self) -> str:
        """What it is called by: the file that says what it is."""
        return CONFIG

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def stem(self) -> str:
        """What the files made of it begin with."""
        return stem_of(self.repo_name)


def inputs(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return the files of a commit that a conversion reads, by path; none where there is no checkpoint."""
    known = {entry.path: entry for entry in entries}
    weights = [path for path in known if _WEIGHTS.match(path)]
    if INDEX in known and any(map(_SHARD.match, weights)):
        weights = [path for path in weights if _SHARD.match(path)]
    if CONFIG not in known or not weights:
        return ()
    beside = [path for path in known if path in _BESIDE or (MODULES in known and _POOLING.match(path))]
    return tuple(known[path] for path in sorted([*weights, *beside]))


def is_weights(entry: Entry) -> bool:
    """True for a file that holds tensors."""
    return bool(_WEIGHTS.match(entry.path))


def checkpoint_in(at: Located, entries: Iterable[Entry] | None = None) -> Checkpoint | None:
    """Return the checkpoint at a commit, None where there is none; asks no gate.

    A commit that was inspected before checkpoints were looked at is inspected again.
    """
    found = inputs(files(at.repo, at.tree) if entries is None else entries)
    if not found:
        return None
    facts = at.facts
    told: Mapping[str, Any] = facts.get(FACT) or {}
    if facts and not told:
        look_again(at.repo, at.commit)
    return Checkpoint(
        repo_name=at.repo.name, files=found, architecture=str(told.get("architecture") or ""),
        base_type=str(told.get("type") or ""), base_size=int(told.get("size") or 0),
        weights=int(told.get("weights") or 0), problem=_problem(found, told),
        sizes=told.get("sizes"),
    )  # fmt: skip


def _problem(found: Iterable[Entry], told: Mapping[str, Any]) -> str:
    for entry in found:
        if entry.is_large and entry.state != RepoBlob.State.PROVEN:
            return f"the bytes of {entry.path} are not proven"
    if not told:
        return "it was not read yet; try again in a moment"
    return str(told.get("problem") or "")


def look_again(repo: Repo, commit: str) -> None:
    """Have a commit inspected that was inspected before something was looked for."""
    jobs.ask(kind="inspect", subject=f"{repo.pk}:{commit}", repo=repo, payload={"commit": commit})
