"""What reviewers change in the catalogue and in the policies: each act is written down, and what it touches read again.

Verbs raise what `licenses.edits`, `licenses.policies` and `licenses.policy` raise, and NotAllowed for anyone else.
"""

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.audit import acts, chain
from hub.catalog import clearances
from hub.catalog.access import may_review
from hub.catalog.errors import NotAllowed
from hub.catalog.models import LineageEdge, Repo
from hub.catalog.ownwork import require_others
from licenses import edits, policies
from licenses.models import Case, Document, License, PolicyRow, Term, UpstreamModel, WaiverRow
from licenses.policies import policy_of
from licenses.policy import Change, Policy, parse_policy
from licenses.terms import Confidence, Threshold, Value

MAX_WAIVER_DAYS = 3650
AT_ONCE = 200


def require_review(viewer: Viewer) -> User:
    """Return the reviewer who acts; raises NotAllowed for anyone else."""
    if viewer.user is None or not may_review(viewer) or not viewer.can_write:
        raise NotAllowed("Only reviewers may do this, with a token that may write.")
    return viewer.user


def _note(user: User, act: str, subject: str, label: str, data: Mapping[str, Any]) -> None:
    role = "staff" if user.is_staff else "reviewer"
    chain.append(act=act, actor=chain.person(user), role=role, subject=subject, label=label, data=dict(data))


def _changed(user: User, of: License, field: str, value: Any, before: Any) -> None:
    data = {"license": of.slug, "field": field, "value": value, "before": before}
    _note(user, acts.READING_CHANGED, f"license:{of.slug}", of.name, data)


def touched_by(license_id: str) -> Sequence[UUID]:
    """Return the repos whose terms rest on a licence."""
    rows = Case.objects.filter(current=True).filter(
        Q(licenses__contains=[license_id])
        | Q(lineage__use_licenses__contains=[license_id])
        | Q(findings__contains=[{"license": license_id}])
    )
    return [UUID(subject) for subject in rows.values_list("subject", flat=True)]


def _built_on(pattern: str) -> Sequence[UUID]:
    """Return the repos that come from a model elsewhere, or from several."""
    edges = LineageEdge.objects.filter(parent__startswith=pattern.casefold().partition("*")[0])
    rows = edges.values_list("repo_id", "parent").distinct()
    return [repo for repo, parent in rows if fnmatch.fnmatchcase(parent, pattern.casefold())]


def _settled_by_policy() -> Sequence[UUID]:
    """Return the repos on which policies have a word: all but those that people settled."""
    states = Case.State
    kept = [states.REJECTED, states.APPEALED, states.SUSPENDED, states.WITHDRAWN]
    rows = Case.objects.filter(current=True).exclude(state__in=kept).order_by("opened_at")
    return [UUID(subject) for subject in rows.values_list("subject", flat=True)]


def _read_again(pks: Sequence[UUID]) -> None:
    """Ask for scans: of some at once, of the others when the hub looks for what nobody has done yet."""
    clearances.ask_all(pks[:AT_ONCE])
    rest = sorted(pks[AT_ONCE:])
    Repo.objects.filter(pk__in=rest).update(scans_asked=F("scans_asked") + 1)


@transaction.atomic
def add_license(
    viewer: Viewer,
    *,
    slug: str,
    name: str,
    category: str,
    steward: str = "",
    version: str = "",
    url: str = "",
) -> License:
    """Take a licence into the catalogue that nobody here knew."""
    user = require_review(viewer)
    row = edits.add_license(
        slug=slug, name=name, category=category, steward=steward, version=version, url=url
    )
    _changed(user, row, "id", slug, None)
    return row


@transaction.atomic
def edit_term(viewer: Viewer, *, of: License, key: str, value: Value, note: str, passage: str) -> Term:
    """Answer a term after reading the text."""
    user = require_review(viewer)
    before = Term.objects.filter(license=of, key=key).values_list("value", flat=True).first()
    row = edits.edit_term(of=of, key=key, value=value, note=note, passage=passage, by=user, at=timezone.now())
    _changed(user, of, key, str(value), before)
    _read_again(touched_by(of.slug))
    return row


@transaction.atomic
def take_back_term(viewer: Viewer, *, of: License, key: str) -> None:
    """Return a term to what the shipped reading states."""
    user = require_review(viewer)
    row = Term.objects.filter(license=of, key=key).first()
    if row is None:
        return
    edits.take_back_term(term=row)
    _changed(user, of, key, (row.stated or {}).get("value"), row.value)
    _read_again(touched_by(of.slug))


@transaction.atomic
def set_thresholds(viewer: Viewer, *, of: License, thresholds: Sequence[Threshold]) -> None:
    """Replace a licence's thresholds."""
    user = require_review(viewer)
    edits.set_thresholds(of=of, thresholds=thresholds)
    _changed(user, of, "thresholds", [asdict(one) for one in thresholds], None)
    _read_again(touched_by(of.slug))


@transaction.atomic
def set_aliases(viewer: Viewer, *, of: License, names: Sequence[str]) -> None:
    """Replace a licence's other names; whatever names one of them is read again when it is next pushed."""
    user = require_review(viewer)
    edits.set_aliases(of=of, names=names)
    _changed(user, of, "aliases", list(names), None)


@transaction.atomic
def confirm_text(
    viewer: Viewer, *, of: License, kind: str, version: str, text: str, source: str, case: Case | None = None
) -> Document:
    """Keep an uploaded text as a canonical one."""
    user = require_review(viewer)
    row = edits.confirm_text(
        of=of, kind=kind, version=version, text=text, source=source, by=user, at=timezone.now()
    )
    _note(user, acts.TEXT_CONFIRMED, f"license:{of.slug}", of.name,
          {"license": of.slug, "kind": kind, "version": version, "sha256": row.sha256, "source": source})  # fmt: skip
    _read_again([*touched_by(of.slug), *([UUID(case.subject)] if case else [])])
    return row


@transaction.atomic
def record_upstream(
    viewer: Viewer, *, pattern: str, of: License, evidence: str, confidence: Confidence, modality: str = ""
) -> UpstreamModel:
    """Note once what terms a model elsewhere is under; every case that waits for it is read again."""
    user = require_review(viewer)
    row = edits.record_upstream(
        pattern=pattern, of=of, evidence=evidence, confidence=confidence, modality=modality
    )
    _note(user, acts.UPSTREAM_RECORDED, f"license:{of.slug}", pattern,
          {"pattern": pattern, "license": of.slug, "evidence": evidence, "confidence": str(confidence)})  # fmt: skip
    _read_again(_built_on(pattern))
    return row


@transaction.atomic
def write_policy(viewer: Viewer, *, slug: str, fields: Mapping[str, Any], enabled: bool) -> PolicyRow:
    """Make or change a policy; everything that waits or was settled by policy is judged again."""
    user = require_review(viewer)
    row = policies.write_policy(slug=slug, fields=fields, enabled=enabled)
    _note(user, acts.POLICY_CHANGED, f"policy:{slug}", row.title,
          {"policy": slug, "action": row.action, "when": row.when, "scope": row.scope, "enabled": enabled})  # fmt: skip
    _read_again(_settled_by_policy())
    return row


def switch_policy(viewer: Viewer, *, row: PolicyRow, enabled: bool) -> PolicyRow:
    """Switch a policy on or off."""
    fields = {"title": row.title, "when": row.when, "scope": row.scope, "action": row.action}
    return write_policy(viewer, slug=row.slug, fields=fields, enabled=enabled)


def proposed_with(slug: str, fields: Mapping[str, Any], *, enabled: bool) -> Sequence[Policy]:
    """Return the policies as they would be with one changed or added; raises BadPolicy."""
    one = parse_policy({"id": slug, **fields}, where="policies")
    rows = PolicyRow.objects.exclude(slug=slug)
    kept = [(row.position, policy_of(row)) for row in rows if row.enabled]
    place = PolicyRow.objects.filter(slug=slug).values_list("position", flat=True).first() or 100
    found = [*kept, *([(place, one)] if enabled else [])]
    return [policy for _, policy in sorted(found, key=lambda pair: pair[0])]


def dry_run(viewer: Viewer, *, slug: str, fields: Mapping[str, Any], enabled: bool) -> list[Change]:
    """Return every model that would be decided otherwise; nothing is changed.  Raises BadPolicy."""
    require_review(viewer)
    return list(policies.try_policies(proposed_with(slug, fields, enabled=enabled), now=timezone.now()))


@transaction.atomic
def waive(viewer: Viewer, *, policy: str, case: Case, justification: str, days: int) -> WaiverRow:
    """Set one policy aside for one model until a moment; raises BadWaiver."""
    user = require_review(viewer)
    if (repo := Repo.objects.select_related("namespace").filter(pk=case.subject).first()) is not None:
        require_others(user, repo)
    now: datetime = timezone.now()
    row = policies.waive(
        policy=policy, subject=case.subject, label=case.label, justification=justification, by=user,
        expires_at=now + timedelta(days=min(max(days, 1), MAX_WAIVER_DAYS)), now=now,
    )  # fmt: skip
    _note(user, acts.WAIVED, case.subject, case.label,
          {"policy": policy, "justification": row.justification, "expires": row.expires_at.isoformat()})  # fmt: skip
    _read_again([UUID(case.subject)])
    return row


@transaction.atomic
def revoke(viewer: Viewer, *, waiver: WaiverRow) -> WaiverRow:
    """Take a waiver back."""
    user = require_review(viewer)
    row = policies.revoke(waiver=waiver, now=timezone.now())
    data = {
        "policy": row.policy,
        "justification": row.justification,
        "expires": row.expires_at.isoformat(),
    }
    _note(user, acts.WAIVER_REVOKED, row.subject, row.label, data)
    _read_again([UUID(row.subject)])
    return row
