"""Policies and waivers as rows: loaded, read, tried before they count, and set aside for one subject."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet

from licenses.errors import BadWaiver
from licenses.facts import Facts, Waiver
from licenses.models import Case, PolicyRow, WaiverRow
from licenses.policy import Change, Policy, dry_run, parse_policy, shipped_policies
from licenses.records import findings_from_json
from licenses.terms import Confidence

_WRITTEN = ("title", "when", "scope", "action")


@transaction.atomic
def load_policies(policies: Iterable[Policy]) -> int:
    """Bring the shipped policies into rows, as often as one likes; return how many are new or changed.

    What a person wrote or switched off stays; one that ships no more goes, unless a person changed it.
    """
    there = {row.slug: row for row in PolicyRow.objects.select_for_update()}
    done, wanted = 0, set()
    for place, one in enumerate(policies, start=1):
        wanted.add(one.id)
        fields = {
            "title": one.title,
            "when": dict(one.when),
            "scope": list(one.scope),
            "action": str(one.action),
        }
        row = there.get(one.id)
        if row is None:
            PolicyRow.objects.create(slug=one.id, shipped=True, position=10 * place, **fields)
        elif row.edited or all(getattr(row, name) == value for name, value in fields.items()):
            continue
        else:
            PolicyRow.objects.filter(pk=row.pk).update(**fields)
        done += 1
    PolicyRow.objects.filter(shipped=True, edited=False).exclude(slug__in=wanted).delete()
    return done


def policy_of(row: PolicyRow) -> Policy:
    """Return a row as the policy it holds; raises BadPolicy."""
    told = {"id": row.slug, "title": row.title, "when": row.when, "scope": row.scope, "action": row.action}
    return parse_policy(told, where="policies")


def current_policies() -> Sequence[Policy]:
    """Return the policies that decide now; a hub where none were loaded has those that ship."""
    rows = list(PolicyRow.objects.all())
    return tuple(policy_of(row) for row in rows if row.enabled) if rows else shipped_policies()


@transaction.atomic
def write_policy(*, slug: str, fields: Mapping[str, Any], enabled: bool = True) -> PolicyRow:
    """Make or change a policy; raises BadPolicy for what cannot be read."""
    policy = parse_policy(
        {"id": slug, **{name: fields[name] for name in _WRITTEN if name in fields}}, where="policies"
    )
    row, _ = PolicyRow.objects.select_for_update().update_or_create(
        slug=policy.id,
        defaults={
            "title": policy.title, "when": dict(policy.when), "scope": list(policy.scope), "action": str(policy.action),
            "enabled": enabled, "edited": True,
        },
    )  # fmt: skip
    return row


@transaction.atomic
def waive(
    *, policy: str, subject: str, label: str, justification: str, by: AbstractBaseUser, expires_at: datetime,
    now: datetime,
) -> WaiverRow:  # fmt: skip
    """Set one policy aside for one subject until a moment; raises BadWaiver."""
    if policy not in {one.id for one in current_policies() if one.action in ("block", "hold")}:
        raise BadWaiver(f"{policy!r} is no policy that blocks or holds.")
    if not justification.strip():
        raise BadWaiver("justification: say why this policy is set aside.")
    if expires_at <= now:
        raise BadWaiver("expiresAt: the waiver would have ended already; name a later moment.")
    return WaiverRow.objects.create(
        policy=policy, subject=subject, label=label, justification=justification.strip(), by_id=by.pk,
        created_at=now, expires_at=expires_at,
    )  # fmt: skip


def revoke(*, waiver: WaiverRow, now: datetime) -> WaiverRow:
    """Take a waiver back; it stays on record."""
    WaiverRow.objects.filter(pk=waiver.pk, revoked_at=None).update(revoked_at=now)
    waiver.refresh_from_db()
    return waiver


def open_waivers(now: datetime) -> QuerySet[WaiverRow]:
    """Return the waivers that count now."""
    return WaiverRow.objects.filter(revoked_at=None, expires_at__gt=now).order_by("expires_at")


def waivers_of(subject: str, *, name: str, now: datetime) -> tuple[Waiver, ...]:
    """Return a subject's waivers under the name by which policies know it."""
    rows = open_waivers(now).filter(subject=subject)
    return tuple(Waiver(row.policy, name, row.justification, row.expires_at) for row in rows)


def facts_to_json(facts: Facts) -> dict[str, Any]:
    """Return what policies look at, beside findings, texts and waivers, as a case keeps it."""
    return {
        "categories": list(facts.categories), "confidences": [str(one) for one in facts.confidences],
        "identification": facts.identification, "ancestors_clear": facts.ancestors_clear,
        "precedent": facts.precedent,
        "reviewed_texts": None if facts.reviewed_texts is None else sorted(facts.reviewed_texts),
    }  # fmt: skip


def facts_of_case(case: Case, *, now: datetime) -> Facts:
    """Return what is known of a case as policies see it."""
    told = case.lineage.get("facts", {})
    reviewed = told.get("reviewed_texts")
    return Facts(
        subject=case.label,
        categories=tuple(told.get("categories", ())),
        confidences=tuple(Confidence(one) for one in told.get("confidences", ())),
        identification=told.get("identification", "open"),
        ancestors_clear=bool(told.get("ancestors_clear")),
        findings=findings_from_json(case.findings),
        texts=frozenset(case.texts),
        reviewed_texts=None if reviewed is None else frozenset(reviewed),
        precedent=told.get("precedent", ""),
        waivers=waivers_of(case.subject, name=case.label, now=now),
    )


def try_policies(proposed: Sequence[Policy], *, now: datetime) -> Iterator[Change]:
    """Yield the subjects that other policies would decide otherwise; nothing is changed."""
    known = Case.objects.filter(current=True).exclude(state=Case.State.SCANNING).order_by("label")
    facts = (facts_of_case(case, now=now) for case in known.iterator(chunk_size=200))
    yield from dry_run(facts, current=current_policies(), proposed=proposed, now=now)
