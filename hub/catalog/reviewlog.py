"""Decisions on cases, written down in the audit chain."""

from hub.audit import acts, chain
from hub.audit.chain import Actor
from hub.catalog.models import Repo
from licenses.models import Case


def record(repo: Repo | None, case: Case, *, by: Actor, role: str = "") -> None:
    """Write the last decision on a case into the audit chain, in the transaction that made it."""
    last = case.decisions.order_by("-pk").first()
    if last is None:
        return
    chain.append(
        act=acts.REVIEW + last.verb, actor=by, role=role, subject=case.subject,
        label=repo.full_name if repo else case.label,
        data={
            "case": str(case.pk), "digest": case.digest, "commit": case.commit, "from": last.from_state,
            "to": last.to_state, "reasons": last.reasons, "cited": last.cited, "conditions": last.conditions,
            "concluded": last.concluded, "note": last.note_public, "own": last.own,
            "blind": last.verb == last.Verb.APPROVE and last.from_state == Case.State.SECOND_REVIEW,
            "decision": last.pk,
        },
        personal={"note": last.note_private} if last.note_private else None,
    )  # fmt: skip
