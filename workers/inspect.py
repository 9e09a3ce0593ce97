"""Inspecting a commit: read what its large files hold, and add it up to what repo info shows."""

import json
from collections.abc import Mapping
from typing import Any

from hub.catalog import clearances, ggufs, indexing, jobs, objects, tensors
from hub.catalog.checkpoints import FACT
from hub.catalog.errors import CatalogError
from hub.catalog.models import CommitRecord, Inspection, Job, Repo, RepoBlob
from hub.catalog.sources import SIZES
from hub.catalog.trees import Entry, files
from storage.downloads import BlobReader
from storage.errors import ObjectMissing
from workers import preflight, summary
from workers.errors import Refused
from workers.formats.findings import Inspection as Found
from workers.formats.findings import clean
from workers.formats.reader import BytesReader, CachedReader
from workers.formats.shard_index import inspect_shard_index
from workers.formats.sniff import inspect, named_format
from workers.quantizing import reckoning

PROVEN = RepoBlob.State.PROVEN
MAX_CONFIG = 1024 * 1024
# Weights of so many models in one commit are reckoned with.
MAX_SOURCES = 20


def inspect_commit(job: Job) -> None:
    """Inspect every proven large file of a commit and write its facts.

    Proofs may land meanwhile: the files' states are compared under the last lock, and the work goes on until they
    are the ones that were read.
    """
    repo = job.repo
    record = (
        CommitRecord.objects.filter(network=repo.network_id, oid=job.payload["commit"]).first()
        if repo
        else None
    )
    if repo is None or record is None:
        raise Refused("The commit is gone.")
    while not _try(job, repo, record):
        continue


def _try(job: Job, repo: Repo, record: CommitRecord) -> bool:
    entries = list(files(repo, record.tree))
    found = {
        entry.path: _inspected(job, entry) for entry in entries if entry.is_large and entry.state == PROVEN
    }
    indexes = _indexes(repo, entries)
    facts = summary.facts(entries, found, indexes, _config(repo, entries))
    if count := _tensors(entries, found):
        facts["tensors"] = count
    checkpoint = preflight.verdict(repo, record, entries)
    if checkpoint is not None:
        facts[FACT] = clean(checkpoint)
    facts[SIZES] = _sizes(entries, found)
    with jobs.fenced(job):
        if _states(list(files(repo, record.tree))) != _states(entries):
            return False
        with jobs.finishing(job, {"findings": len(facts["findings"])}):
            _write(repo, record, facts)
            indexing.note_facts(repo, record)
            clearances.note_facts(repo, record)
    return True


def _tensors(entries: list[Entry], found: Mapping[str, Found | None]) -> int:
    """Return how many tensors there are in the model that their page shows first."""
    first = next(iter(tensors.grouped(entries).values()), [])
    read = [one for entry in first if (one := found.get(entry.path))]
    return sum(len(one.tensors) + one.left_out.get("tensors", 0) for one in read)


def _sizes(entries: list[Entry], found: Mapping[str, Found | None]) -> dict[str, dict[str, int]]:
    """Return what each type of file would take that can be made of each model in GGUF, by the model's path."""
    models, _matrices = ggufs.models_and_matrices(entries)
    told = {}
    for model in [one for one in models if not one.problem][:MAX_SOURCES]:
        shards = [one for entry in model.shards if (one := found.get(entry.path))]
        read = (
            reckoning.tensor(it.name, it.dtype, it.shape, it.end - it.start)
            for one in shards
            for it in one.tensors
        )
        told[model.path] = reckoning.sizes(read, shards[0].metadata, total=model.size)
    return told


def _states(entries: list[Entry]) -> dict[str, str | None]:
    return {entry.path: entry.state for entry in entries}


def _write(repo: Repo, record: CommitRecord, facts: dict[str, Any]) -> None:
    record.facts = facts
    record.save(update_fields=["facts"])
    total = (facts.get("safetensors") or facts.get("gguf") or {}).get("total")
    Repo.objects.filter(pk=repo.pk, head=record.oid).update(parameters=total)


def _inspected(job: Job, entry: Entry) -> Found | None:
    """Return what is known of a file's content, reading it now if nobody has."""
    known = Inspection.objects.filter(sha256=entry.sha256).first()
    if known is not None:
        return Found.from_json(known.data)
    jobs.report(job, progress=0, step=f"reading {entry.path}")
    try:
        found = inspect(CachedReader(BlobReader(entry.sha256)), name=entry.path)
    except ObjectMissing:
        # The bytes were found damaged between listing and reading; the claim says so.
        return None
    told = found.to_json()
    Inspection.objects.get_or_create(
        sha256=entry.sha256,
        defaults={
            "format": found.format, "ok": found.ok, "findings": told["findings"], "data": told,
            "summary": {"parameters": told["parameters"], "total": told["total_parameters"], **told["summary"]},
        },
    )  # fmt: skip
    return found


def _indexes(repo: Repo, entries: list[Entry]) -> dict[str, Found]:
    small = [entry for entry in entries if not entry.is_large and named_format(entry.path) == "shard-index"]
    return {entry.path: inspect_shard_index(BytesReader(_read(repo, entry))) for entry in small}


def _config(repo: Repo, entries: list[Entry]) -> dict[str, Any]:
    entry = next((entry for entry in entries if entry.path == "config.json" and not entry.is_large), None)
    if entry is None or entry.size > MAX_CONFIG:
        return {}
    try:
        config = json.loads(_read(repo, entry))
    except (ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}


def _read(repo: Repo, entry: Entry) -> bytes:
    try:
        return objects.read(repo.network_id, entry.oid)
    except CatalogError as error:
        raise OSError(str(error)) from error
