"""Writing what a repo is found by, whenever its main moves, its files were read, or its name changes."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from hub.catalog import jobs, objects, proofs, traits, words
from hub.catalog.cards import Claims, body_of
from hub.catalog.errors import EntryNotFound, StoreTrouble
from hub.catalog.ggufs import models_in, needs_of
from hub.catalog.memory import DEFAULT_CONTEXT
from hub.catalog.models import CommitRecord, Repo, RepoText

KIND = "index"
# Raise it when the same card gives other words or traits; every repo is then gone through again.
VERSION = 3
BATCH = 200

_WRITE = """
INSERT INTO catalog_repotext (repo_id, name, short, vector, summary, card, version) VALUES (%(repo)s, %(name)s,
  %(short)s, %(named)s::tsvector || setweight(to_tsvector('english', %(body)s), 'C'), %(summary)s, %(card)s,
  %(version)s)
ON CONFLICT (repo_id) DO UPDATE SET name = EXCLUDED.name, short = EXCLUDED.short, vector = EXCLUDED.vector,
  summary = EXCLUDED.summary, card = EXCLUDED.card, version = EXCLUDED.version
"""
# The card is the same: its words stay, and it is not read again.
_RENAME = """
UPDATE catalog_repotext SET name = %(name)s, short = %(short)s,
  vector = %(named)s::tsvector || ts_filter(vector, '{c}') WHERE repo_id = %(repo)s AND card = %(card)s AND version > 0
"""


def traits_of(repo: Repo, claims: Claims, record: CommitRecord, formats: Iterable[str]) -> list[str]:
    """Return the traits of a repo with this commit at its tip; what was read in files stays until they are read."""
    told = traits.of_card(claims, formats)
    if not record.facts:
        known = Repo.objects.values_list("traits", flat=True).get(pk=repo.pk)
        return [*told, *traits.kept(known, read=True)]
    models = models_in(repo, record.tree) if "gguf" in formats else []
    needs = [need.total for need in needs_of(models, DEFAULT_CONTEXT) if need] if models else []
    return [*told, *traits.of_files(record.facts, [one.file_type for one in models], needs)]


def note_facts(repo: Repo, record: CommitRecord) -> None:
    """The files of a commit were read: write what they are, where it is the tip of main."""
    mine = Repo.objects.filter(pk=repo.pk, head=record.oid)
    row = mine.select_for_update(no_key=True).first()
    if row is None:
        return
    _write_traits(row, record)
    write(repo.pk, record)


def _write_traits(repo: Repo, record: CommitRecord) -> None:
    claims = Claims(data=record.card.data if record.card else {})
    formats = [name for name in traits.FORMATS if name in repo.tags]
    Repo.objects.filter(pk=repo.pk).update(traits=traits_of(repo, claims, record, formats))


def write(pk: UUID, record: CommitRecord | None) -> None:
    """Write the words of a repo, whose row the caller has locked, with the commit at the tip of its main."""
    repo = Repo.objects.select_related("namespace").get(pk=pk)
    card = record.card if record is not None else None
    values: dict[str, Any] = {
        "repo": pk, "name": repo.full_name, "short": repo.name.upper(), "card": card.oid if card else "",
        "named": words.vector([repo.name], _beside(repo, Claims(card.data) if card else Claims())),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_RENAME, values)
        if cursor.rowcount:
            return
        body, version = _body(repo, values["card"])
        cursor.execute(_WRITE, {**values, "body": body, "summary": words.summary(body), "version": version})


def _beside(repo: Repo, claims: Claims) -> list[str]:
    read = [
        one.partition(":")[2] for one in repo.traits if one.startswith((traits.ARCHITECTURE, traits.DTYPE))
    ]
    told = [claims.word("model_name"), *claims.words("description")[:1]]
    return [repo.namespace.name, *repo.base_models, repo.pipeline_tag, repo.library, *read, *told, *repo.tags]


def _body(repo: Repo, oid: str) -> tuple[str, int]:
    """Return the text of a README without its front matter; version 0 where it could not be read now."""
    if not oid:
        return "", VERSION
    try:
        content = objects.read(repo.network_id, oid)
    except EntryNotFound:
        return "", VERSION
    except StoreTrouble:
        return "", 0
    text = content[: 1024 * 1024].decode("utf-8", "replace").replace("\x00", "")
    return body_of(text)[: words.MAX_BODY], VERSION


def renamed(repo: Repo) -> None:
    """A repo has another name, in the caller's transaction."""
    write(repo.pk, _tip(repo))


def _tip(repo: Repo) -> CommitRecord | None:
    found = CommitRecord.objects.filter(network=repo.network_id, oid=repo.head).select_related("card")
    return found.first() if repo.head else None


def ask_missing() -> bool:
    """Ask for the repos that were never gone through, or by older rules; says whether there are any."""
    behind = _behind().exists()
    if behind:
        jobs.ask(kind=KIND, subject="hub")
    return behind


def _behind() -> QuerySet[Repo]:
    return Repo.objects.filter(Q(text=None) | Q(text__version__lt=VERSION)).exclude(head="")


def index_some(after: UUID | None, limit: int = BATCH) -> UUID | None:
    """Go through some repos that are behind, and return the last one; None where there were no more."""
    waiting = _behind() if after is None else _behind().filter(pk__gt=after)
    pks = list(waiting.order_by("pk").values_list("pk", flat=True)[:limit])
    for pk in pks:
        _index(pk)
    return pks[-1] if pks else None


@transaction.atomic
def _index(pk: UUID) -> None:
    repo = Repo.objects.select_for_update(no_key=True).filter(pk=pk).first()
    record = _tip(repo) if repo is not None else None
    if repo is None or record is None:
        return
    _write_traits(repo, record)
    RepoText.objects.filter(repo=pk).update(version=0)
    write(pk, record)
    proofs.note(repo)
