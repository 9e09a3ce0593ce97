"""What a repo shows of the components that a grade of openness asks for, each with where it was seen.

Only what everyone can see counts: a private data set is not published, whoever looks.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.catalog import objects
from hub.catalog.cards import Claims
from hub.catalog.errors import CatalogError
from hub.catalog.lookups import locate_heads
from hub.catalog.models import CommitRecord, Ref, Repo, RepoBlob
from hub.catalog.names import FilePath
from hub.catalog.signals import from_card, from_config, from_paths, is_weights, stronger
from hub.catalog.trees import Entry, entries_at, entry_at, walk
from licenses.openness import Evidence, Openness, Presence, grade, is_open
from licenses.terms import Reading

MAX_PATHS = 20_000
MAX_SMALL_BYTES = 2**20
MAX_DATASETS = 20
_README, _CONFIG = FilePath(("README.md",)), FilePath(("config.json",))
_CODE_FILE = "architecture"

Found = dict[str, Evidence]


def openness_of(
    repo: Repo,
    record: CommitRecord,
    *,
    licenses: Sequence[str],
    use_licenses: Sequence[str],
    readings: Mapping[str, Reading],
    texts: Mapping[str, str] | None = None,
) -> Openness:
    """Grade a repo at a commit; ``licenses`` bind who hands it on, ``use_licenses`` who runs it, ancestors included."""
    found = evidence_for(repo, record, licenses=licenses, readings=readings, texts=texts)
    return graded(repo, found, use_licenses, readings)


def graded(
    repo: Repo, found: Mapping[str, Evidence], use_licenses: Sequence[str], readings: Mapping[str, Reading]
) -> Openness:
    """Return the grade that evidence comes to; weights behind a gate do not count for a class."""
    gated = bool(repo.gated or repo.consent)
    return grade(found, weights=use_licenses, gated=gated, readings=readings)


def evidence_for(
    repo: Repo,
    record: CommitRecord,
    *,
    licenses: Sequence[str] = (),
    readings: Mapping[str, Reading] | None = None,
    texts: Mapping[str, str] | None = None,
) -> Found:
    """Return what is found of each component, by its id.

    A file's license is that of the nearest license text above it (``texts``: path to catalogue id), else the repo's.
    """
    own = _narrowest(licenses, readings or {})
    entries = [entry for entry in walk(repo, record.tree, limit=MAX_PATHS) if not entry.is_folder]
    claims = Claims(data=record.card.data if record.card else {})
    found: Found = {"parameters": Evidence(Presence.ABSENT)}

    def see(component: str, evidence: Evidence) -> None:
        found[component] = stronger(found.get(component), evidence)

    for component, presence, path in from_paths(entry.path for entry in entries):
        see(component, Evidence(presence, _license_at(path, texts or {}) or own, (path,)))
        if component == "inference-code" and path.rpartition("/")[2].startswith("mod"):
            see(_CODE_FILE, Evidence(presence, _license_at(path, texts or {}) or own, (path,)))
    for entry in entries:
        if _is_proven_weights(entry):
            see("parameters", Evidence(Presence.PRESENT, own, (entry.path,)))
    small = entries_at(repo, record.tree, [_README, _CONFIG])
    readme = _text(repo, small.get(_README))
    for component, presence, where in from_card(readme, claims.data):
        see(component, Evidence(presence, own, (where,)))
    config, gguf = _json(_text(repo, small.get(_CONFIG))), record.facts.get("gguf")
    architecture = str(gguf.get("architecture") or "") if isinstance(gguf, dict) else ""
    for component, evidence in from_config(config, claims.word("library_name"), architecture):
        see(component, evidence)
    for component, evidence in (*_checkpoints(repo, own), *_datasets(claims, readings or {})):
        see(component, evidence)
    return found


def _is_proven_weights(entry: Entry) -> bool:
    return entry.size > 0 and entry.state == RepoBlob.State.PROVEN and is_weights(entry.path)


def _narrowest(licenses: Sequence[str], readings: Mapping[str, Reading]) -> str:
    """Return the license that decides for a whole: the first that is not open, else the first."""
    closed = [one for one in licenses if not is_open(one, readings)]
    return (closed or list(licenses) or [""])[0]


def _license_at(path: str, texts: Mapping[str, str]) -> str:
    """Return the license of the nearest folder above that has a text of its own; '' where only the root's is left."""
    folder = path.rpartition("/")[0]
    while folder:
        for text, license_id in texts.items():
            if text.rpartition("/")[0] == folder:
                return license_id
        folder = folder.rpartition("/")[0]
    return ""


def _text(repo: Repo, entry: Entry | None) -> str:
    if entry is None or entry.is_folder or entry.is_large or entry.size > MAX_SMALL_BYTES:
        return ""
    try:
        return objects.read(repo.network_id, entry.oid).decode("utf-8", "replace")
    except CatalogError:
        return ""


def _json(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _checkpoints(repo: Repo, own: str) -> Iterator[tuple[str, Evidence]]:
    """Branches and tags that are named for a step of training."""
    steps = Ref.objects.filter(repo=repo, name__iregex=r"^refs/(heads|tags)/(step|checkpoint|iter)[-_]?\d+")
    for name in steps.order_by("name").values_list("name", flat=True)[:2]:
        yield "checkpoints", Evidence(Presence.PRESENT, own, (f"revision {name.split('/', 2)[2]}",))


def _datasets(claims: Claims, readings: Mapping[str, Reading]) -> Iterator[tuple[str, Evidence]]:
    """What the card names as data: a card and files where this hub holds it for everyone, else a claim."""
    trained = claims.words("datasets")[:MAX_DATASETS]
    measured = _measured_on(claims.data.get("model-index"))
    here = Repo.objects.filter(
        type=Repo.Type.DATASET, private=False, disabled=False,
        key__in=[name.lower() for name in (*trained, *measured)],
    ).select_related("namespace")  # fmt: skip
    heads = {at.repo.key: at for at in locate_heads(list(here)).values()}
    for name in (*trained, *measured):
        at = heads.get(name.lower())
        data = "datasets" if name in trained else "evaluation-data"
        if at is None:
            claim = Evidence(Presence.CLAIMED, "", (f"{name}, which this hub does not hold for everyone",))
            yield from ((data, claim), *((("data-card", claim),) if name in trained else ()))
            continue
        license_id = _narrowest(at.repo.concluded, readings)
        if not at.repo.gated:
            yield data, Evidence(Presence.PRESENT, license_id, (f"data set {at.repo.full_name}",))
        if name in trained and entry_at(at.repo, at.tree, _README):
            seen = (f"README.md of {at.repo.full_name}",)
            yield "data-card", Evidence(Presence.PRESENT, license_id, seen)


def _measured_on(index: object) -> list[str]:
    """Return the data sets that the results of a model-index name, in whatever shape they are."""
    found: dict[str, None] = {}
    for model in index[:5] if isinstance(index, list) else []:
        results = model.get("results") if isinstance(model, dict) else None
        for result in results[:50] if isinstance(results, list) else []:
            dataset = result.get("dataset") if isinstance(result, dict) else None
            name = dataset.get("type") if isinstance(dataset, dict) else None
            if isinstance(name, str) and name:
                found[name[:200]] = None
    return list(found)[:MAX_DATASETS]
