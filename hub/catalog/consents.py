"""Accepting the terms of a repo: what is to be accepted, giving one's word, taking it back, and who gave theirs.

What was made from a repo asks for its source's terms, so that one acceptance does for both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.accounts.models import Membership, Role, User
from hub.audit import acts, chain
from hub.catalog import access, clearing
from hub.catalog.documents import reference
from hub.catalog.errors import BadRequest, EntryNotFound, NotAllowed, TermsHeld
from hub.catalog.forms_asked import checked, fields_of
from hub.catalog.lookups import locate_in
from hub.catalog.models import Repo
from hub.catalog.revision_sets import content_of
from licenses import acceptances, cases
from licenses.acceptances import Method, Person
from licenses.errors import BadAnswer
from licenses.models import Acceptance, Case, Document, License
from licenses.readings import readings_of
from licenses.records import Json, lineage_from_json


@dataclass(frozen=True, slots=True)
class Required:
    """What a repo asks people to accept.  ``key`` names the texts, ``shown`` everything as it is shown.

    ``asked`` are fields to be filled in; ``covers`` is the acceptance of the viewer that counts now, or None.
    """

    repo: Repo
    case: Case | None
    documents: Sequence[Json] = ()
    key: str = ""
    shown: str = ""
    asked: Sequence[Json] = ()
    covers: Acceptance | None = None
    organizations: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """Somebody's word: what they were shown, what they filled in, for whom, and how it came."""

    key: str
    shown: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    organization: str = ""
    officer: str = ""
    method: str = Method.CLICK
    address: str | None = None
    user_agent: str = ""


def required(viewer: Viewer, repo: Repo) -> Required:
    """Return what a repo asks for, with empty ``documents`` where that is nothing."""
    access.require_read(viewer, repo)
    root, case = _asks(repo)
    if case is None or not repo.consent:
        return Required(root, case)
    documents = acceptances.required(case)
    asked = _asked(root, case)
    return Required(
        root, case, documents, acceptances.key_of(case.subject, documents), acceptances.shown_of(documents, asked),
        asked, access.acceptance_for(viewer, repo), offices_of(viewer),
    )  # fmt: skip


def _asks(repo: Repo) -> tuple[Repo, Case | None]:
    """Return the repo whose terms are to be accepted, and its case: the source's, where its terms are followed."""
    case = cases.current_case(str(repo.pk))
    if repo.source is not None and (case is None or case.lineage.get("follows")):
        return repo.source, cases.current_case(str(repo.source.pk))
    return repo, case


def _asked(repo: Repo, case: Case) -> list[Json]:
    """Return the fields to be filled in: the card's own, and the country where a license excludes some."""
    asked = fields_of(locate_in(repo, repo.head).card)
    if acceptances.asks_country(lineage_from_json(case.lineage)) and not any(
        one["type"] == "country" for one in asked
    ):
        asked.append({"name": "country", "type": "country", "options": []})
    return asked


def offices_of(viewer: Viewer) -> list[str]:
    """Return the organizations in whose name the viewer may accept."""
    if viewer.user is None:
        return []
    mine = Membership.objects.filter(user=viewer.user, role=Role.ADMIN).order_by("organization__name")
    return list(mine.values_list("organization__name", flat=True))


def text_of(viewer: Viewer, repo: Repo, sha256: str) -> str:
    """Return one of the texts that are to be accepted, to whoever may read the repo; raises EntryNotFound."""
    found = required(viewer, repo)
    one = next((document for document in found.documents if document["sha256"] == sha256), None)
    if one is None:
        raise EntryNotFound(f"{repo.full_name} asks nobody to accept a text {sha256[:64]}.")
    if one["source"] == "card":
        return str(locate_in(found.repo, found.repo.head).card.get("extra_gated_prompt", ""))
    if one["source"] == "file":
        told = next(
            item for item in (found.case.evidence if found.case else []) if item["path"] == one["path"]
        )
        return content_of(found.repo, told["oid"]).decode("utf-8", "replace")
    if one["kind"] == "reference":
        row = License.objects.filter(slug=one["license"])
        return reference(readings_of(row)[one["license"]])
    text = (
        Document.objects.filter(license__slug=one["license"], sha256=sha256)
        .values_list("text", flat=True)
        .first()
    )
    return text or ""


@transaction.atomic
def accept(viewer: Viewer, repo: Repo, word: Word) -> Acceptance:
    """Accept the terms of a repo, in one's own name or an organization's.

    Raises StaleTerms where they are others by now, BadAnswer for a field, UseRefused where the license excludes the
    user, and what the gate says.
    """
    access.require_read(viewer, repo)
    user = access.require_person(viewer, "accept terms")
    found = required(viewer, repo)
    if found.case is None or not found.documents:
        raise BadRequest(f"{repo.full_name} asks nobody to accept anything.")
    if clearing.is_held(repo):
        raise TermsHeld(
            f"{repo.full_name} is held: {clearing.words_for(repo)}. Its terms can be accepted after that."
        )
    fields = checked(found.asked, word.fields)
    person = Person(
        user=user, method=word.method, organization=_organization(viewer, word), country=_country(found.asked, fields),
        address=word.address, user_agent=word.user_agent, fields=fields,
    )  # fmt: skip
    case, asked, now = found.case, found.asked, timezone.now()
    if person.organization:
        given = acceptances.accept_for_organization(
            case=case,
            person=person,
            officer=word.officer,
            key=word.key,
            shown=word.shown,
            asked=asked,
            now=now,
        )
    else:
        given = acceptances.accept(
            case=case, person=person, key=word.key, shown=word.shown, asked=asked, now=now
        )
    _note_given(user, found, given)
    return given


def _organization(viewer: Viewer, word: Word) -> str:
    if not word.organization:
        return ""
    name = next((one for one in offices_of(viewer) if one.lower() == word.organization.lower()), "")
    if not name:
        raise NotAllowed(f"Only an admin of {word.organization[:100]} can accept in its name.")
    return name


def _country(asked: Sequence[Json], fields: Mapping[str, Any]) -> str:
    name = next((one["name"] for one in asked if one["type"] == "country"), "")
    return str(fields.get(name, ""))


def _note_given(user: User, found: Required, given: Acceptance) -> None:
    earlier = Acceptance.objects.filter(superseded_by=given)
    data = {
        "acceptance": str(given.pk), "key": given.key, "documents": given.documents, "method": given.method,
        "licenses": sorted({one["license"] for one in given.documents if one["license"]}),
        "shown_sha256": given.shown_sha256, "organization": given.organization, "country": given.country,
        "expires": given.expires_at.isoformat() if given.expires_at else None,
    }  # fmt: skip
    by = chain.person(user)
    chain.append(
        act=acts.ACCEPTED,
        actor=by,
        subject=given.subject,
        label=found.repo.full_name,
        data=data,
        personal={"address": given.address, "user_agent": given.user_agent, "fields": _plain(given.fields)},
    )
    for one in earlier:
        chain.append(
            act=acts.ACCEPTANCE_SUPERSEDED, actor=by, subject=given.subject, label=found.repo.full_name,
            data={"acceptance": str(one.pk), "by": str(given.pk)},
        )  # fmt: skip


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key): value if isinstance(value, bool | str) else str(value) for key, value in fields.items()}


@transaction.atomic
def withdraw(viewer: Viewer, acceptance: UUID) -> Acceptance:
    """Take one's word back, or an organization's as its admin; the record stays.  Raises EntryNotFound, NotYours."""
    user = access.require_person(viewer, "withdraw an acceptance")
    row = mine(viewer).filter(pk=acceptance).first()
    if row is None:
        raise EntryNotFound("There is no such acceptance of yours.")
    speaks = row.organization in offices_of(viewer) if row.organization else row.user_id == user.pk
    done = acceptances.withdraw(acceptance=row, by=user, may=speaks, now=timezone.now())
    chain.append(
        act=acts.ACCEPTANCE_WITHDRAWN, actor=chain.person(user), subject=done.subject, label=done.label,
        data={"acceptance": str(done.pk), "key": done.key, "organization": done.organization},
    )  # fmt: skip
    return done


def mine(viewer: Viewer) -> QuerySet[Acceptance]:
    """Return what the viewer accepted, and what was accepted in the name of their organizations, newest first."""
    if viewer.user is None:
        return Acceptance.objects.none()
    organizations = Membership.objects.filter(user=viewer.user).values("organization__name")
    shared = ~Q(organization="") & Q(organization__in=organizations)
    return Acceptance.objects.filter(Q(user=viewer.user, organization="") | shared).order_by("-at")


def of_repo(viewer: Viewer, repo: Repo) -> QuerySet[Acceptance]:
    """Return who accepted a repo's terms, for those who manage it, newest first."""
    access.require_administer(viewer, repo)
    return Acceptance.objects.filter(subject=str(repo.pk)).select_related("user").order_by("-at")


__all__ = ["BadAnswer", "Required", "Word", "accept", "mine", "of_repo", "required", "text_of", "withdraw"]
