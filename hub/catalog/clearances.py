"""What a repo's terms have come to, written to its row; and asking for terms to be read again.

Lock order: the job's row, the repo's row, then its case; repos before those that were made from them.  An ask is a
number in the repo's row, written in the transaction that gives the reason for it, so that none is lost; the job itself
is asked for after that.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from hub.audit import acts, chain
from hub.audit.chain import Actor
from hub.catalog import clearing, jobs, lineage, notices, refusals, tellings
from hub.catalog.clearing import OF_STATE, RELEASED, Clearance
from hub.catalog.documents import CLICK
from hub.catalog.kinship import LEAST_BYTES
from hub.catalog.models import CommitRecord, Inspection, Job, Repo
from hub.catalog.revision_sets import digest_for
from hub.catalog.trees import files
from licenses import cases
from licenses.acceptances import key_of
from licenses.lineage import Lineage
from licenses.models import Case, Suspension
from licenses.policy import Mode
from licenses.readings import edition
from licenses.records import lineage_from_json
from licenses.terms import Value as Answer
from licenses.uses import permitted_uses

KIND, DESCENDANTS, DIGESTS = "license", "license-descendants", "tensor-digests"
DIGEST_DELAY = 20.0
_TENSORS = ("safetensors", "gguf")
AT_ONCE = 500
_USERS = ("monthly-active-users", "daily-active-users")


def note_commit(repo: Repo, record: CommitRecord, *, first: bool) -> None:
    """A commit landed on main: ask for a scan, and hold the repo at once where what bears on its terms has changed.

    Inside the commit's transaction.  A repo with nothing but its first commit is not worth a scan.
    """
    if first:
        return
    digest = digest_for(record.terms, repo.full_name)
    known = Case.objects.filter(subject=str(repo.pk), current=True).values_list("digest", flat=True).first()
    mine = Repo.objects.filter(pk=repo.pk)
    mine.update(scans_asked=F("scans_asked") + 1)
    if digest != known:
        hold_back(mine.exclude(clearance=Clearance.SUSPENDED), Clearance.SCANNING, by=chain.system("commit"))
    if clearing.mode() is Mode.OFF:
        return
    if digest != known:
        cases.open_case(
            subject=str(repo.pk), label=repo.full_name, commit=record.oid, digest=digest, now=timezone.now()
        )
    transaction.on_commit(lambda: _ask_job(repo.pk))


def note_facts(repo: Repo, record: CommitRecord) -> None:
    """The files of a commit were read: what their headers say bears on the terms, where it is the tip of main."""
    read = Inspection.objects.filter(sha256__in=repo.blobs.values("sha256"))
    if clearing.mode() is Mode.OFF or not read.exists():
        return
    asked = Repo.objects.filter(pk=repo.pk, head=record.oid, scans_asked__gt=0)
    if asked.update(scans_asked=F("scans_asked") + 1):
        transaction.on_commit(lambda: _ask_job(repo.pk))
    fresh = list(read.filter(digested=False, format__in=_TENSORS).values_list("sha256", flat=True))
    transaction.on_commit(lambda: _ask_digests(fresh))


def _ask_digests(files: Iterable[str]) -> None:
    for sha256 in files:
        # What people wait for goes first.
        jobs.ask(kind=DIGESTS, subject=sha256, payload={"sha256": sha256}, delay=DIGEST_DELAY)


def renamed(repo: Repo) -> None:
    """A repo has another name: its terms are held against it anew, in the caller's transaction."""
    mine = Repo.objects.filter(pk=repo.pk, scans_asked__gt=0)
    mine.update(scans_asked=F("scans_asked") + 1)
    hold_back(mine.exclude(clearance=Clearance.SUSPENDED), Clearance.SCANNING, by=chain.system("rename"))
    if clearing.mode() is not Mode.OFF:
        transaction.on_commit(lambda: _ask_job(repo.pk))


def ask(repo: Repo) -> None:
    """Ask for a scan of a repo, in the caller's transaction."""
    ask_all([repo.pk])


def ask_all(pks: Iterable[UUID]) -> None:
    """Ask for scans of many repos; each is locked before what was made from it."""
    wanted = sorted(set(pks))
    with transaction.atomic():
        rows = Repo.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
        locked = [*rows.filter(source=None), *rows.exclude(source=None)]
        Repo.objects.filter(pk__in=[repo.pk for repo in locked]).update(scans_asked=F("scans_asked") + 1)
        if clearing.mode() is not Mode.OFF:
            transaction.on_commit(lambda: _ask_jobs(wanted))


def _ask_job(pk: UUID) -> None:
    repo = Repo.objects.filter(pk=pk).first()
    if repo is not None:
        jobs.ask(kind=KIND, subject=str(pk), repo=repo)


def _ask_jobs(pks: Iterable[UUID]) -> None:
    for pk in pks:
        _ask_job(pk)


def unscanned() -> QuerySet[Repo]:
    """Return the repos whose terms were asked for and not read yet."""
    return Repo.objects.filter(scans_asked__gt=F("scans_done"))


def ask_missing(limit: int = AT_ONCE) -> int:
    """Ask for the scans that no open job will do, of repos that were never scanned among them; returns how many."""
    if clearing.mode() is Mode.OFF:
        return 0
    never = Repo.objects.filter(scans_asked=0, clearance=Clearance.SCANNING).exclude(head="")
    begun = CommitRecord.objects.filter(depth__gt=0).values("network")
    fresh = list(never.filter(network__in=begun).order_by("pk").values_list("pk", flat=True)[:limit])
    ask_all(fresh)
    # What waited for a text, or for a reading, that has come since.
    waiting = Case.objects.filter(current=True, state__in=[cases.State.IN_REVIEW, cases.State.BLOCKED])
    behind = waiting.exclude(lineage__edition=edition()).order_by("subject").values_list("subject", flat=True)
    ask_all(UUID(subject) for subject in behind[:limit])
    open_ones = Job.objects.filter(kind=KIND, state__in=jobs.OPEN).values("repo")
    missing = list(unscanned().exclude(pk__in=open_ones).order_by("pk").values_list("pk", flat=True)[:limit])
    for pk in missing:
        _ask_job(pk)
    return len(fresh) + len(missing)


def expire(now: datetime | None = None, limit: int = AT_ONCE) -> int:
    """Make stale what has run out, and ask for it to be read again; returns how many cases that were."""
    moment = now or timezone.now()
    due = list(cases.due(moment)[:limit])
    for case in due:
        with transaction.atomic():
            repo = lock(case.subject)
            row = cases.expire(case=case, now=moment)
            if repo is not None:
                write(repo, row, by=chain.system("expiry"))
                ask(repo)
    return len(due)


def forget(repo: Repo) -> None:
    """A repo is about to be deleted: nobody waits for its case any more, and what was made of it is read again."""
    Case.objects.filter(subject=str(repo.pk), current=True).update(current=False)
    _keep_suspended(repo)
    chain.append(
        act=acts.REPO_DELETED,
        actor=chain.system("catalog"),
        subject=str(repo.pk),
        label=repo.full_name,
        data={},
    )
    orphans = list(lineage.descendants(repo).values_list("pk", flat=True))
    transaction.on_commit(lambda: ask_all(orphans))


def _keep_suspended(repo: Repo) -> None:
    """What a suspension stopped does not come back under another name: its large files stay suspended by digest."""
    subjects = [str(pk) for pk in (repo.pk, repo.source_id) if pk]
    row = Suspension.objects.filter(kind=Suspension.Kind.SUBJECT, key__in=subjects, lifted_at=None).first()
    if row is None:
        return
    known = Suspension.objects.filter(kind=Suspension.Kind.DIGEST, lifted_at=None).values("key")
    files = (
        repo.blobs.filter(size__gte=LEAST_BYTES).exclude(sha256__in=known).values_list("sha256", flat=True)
    )
    Suspension.objects.bulk_create(
        [
            Suspension(
                kind=Suspension.Kind.DIGEST, key=sha256, final=row.final, by=row.by,
                reason=f"{row.reason} (of {repo.full_name}, which was deleted)",
            )
            for sha256 in files
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def lock(subject: str) -> Repo | None:
    """Return the repo of a case with its row locked, before the case's own row is; None where it is gone."""
    return Repo.objects.select_for_update(no_key=True).filter(pk=UUID(subject)).first()


def hold_back(repos: QuerySet[Repo], clearance: str, *, by: Actor) -> None:
    """Stop repos for what their own cases do not tell yet, and write down which of them that changes."""
    for repo in repos.exclude(clearance=clearance):
        chain.append(
            act=acts.CLEARANCE, actor=by, subject=str(repo.pk), label=repo.full_name,
            data={"clearance": str(clearance), "before": repo.clearance},
        )  # fmt: skip
    repos.update(clearance=clearance)


def write(repo: Repo, case: Case, *, by: Actor) -> bool:
    """Write what a case has come to into the row of its repo, which the caller has locked; say whether it changed.

    What was made from the repo, and what descends from it, is read again; whatever follows it stops at once with it.
    """
    columns = _columns(repo, case, lineage_from_json(case.lineage))
    before = {name: getattr(repo, name) for name in columns}
    if before == columns:
        return False
    Repo.objects.filter(pk=repo.pk).update(**columns)
    for name, value in columns.items():
        setattr(repo, name, value)
    if columns["clearance"] not in RELEASED:
        followers = repo.derived.exclude(clearance__in=[Clearance.BLOCKED, Clearance.SUSPENDED])
        hold_back(followers, columns["clearance"], by=by)
    chain.append(
        act=acts.CLEARANCE, actor=by, subject=str(repo.pk), label=repo.full_name,
        data={
            "clearance": str(columns["clearance"]), "before": str(before["clearance"]), "consent": repo.consent,
            "concluded": case.concluded, "licenses": list(case.licenses), "case": str(case.pk), "commit": case.commit,
            "digest": case.digest, "policies": [one["id"] for one in case.policies if not one.get("waived")],
            "single_person": case.single_person,
        },
    )  # fmt: skip
    _tell(repo, case, was=before["clearance"], by=by)
    # A row of its own for each time: what is asked while one runs is not lost in it.
    jobs.ask(kind=DESCENDANTS, subject=f"{repo.pk}:{uuid4().hex}", repo=repo)
    return True


def _tell(repo: Repo, case: Case, *, was: str, by: Actor) -> None:
    """Tell who waited that a repo is released, and who keeps it that reading its terms holds it up."""
    if repo.clearance in RELEASED and not repo.private:
        text = f"{repo.full_name} is released."
        notices.notify_all(refusals.take(repo), notices.REVIEW_DECIDED, repo, text, clearing.terms_page(repo))
    # What a person decides is told where they decide it.
    if repo.clearance in (Clearance.HELD, Clearance.BLOCKED) and repo.clearance != was and by.person is None:
        tellings.held_up(repo, case)


def _columns(repo: Repo, case: Case, judged: Lineage) -> dict[str, Any]:
    clearance = OF_STATE[Case.State(case.state)]
    if suspensions(repo, case):
        clearance = Clearance.SUSPENDED
    if CLICK in case.conditions and not case.consent:
        # The reviewer's condition is not written out yet; the scan that does it is asked for.
        clearance = Clearance.SCANNING
    consent = key_of(case.subject, case.consent)
    if repo.source is not None and case.lineage.get("follows"):
        # One acceptance does for both.
        consent = repo.source.consent
    released = clearance in RELEASED
    return {
        "clearance": str(clearance),
        "consent": consent,
        "cleared_until": case.expires_at if released else None,
        "concluded": list(case.licenses)[:50],
        "uses": sorted(permitted_uses(judged)),
        "users_limit": _users_limit(judged),
        "openness": int(case.lineage.get("openness", 0)),
        "reviewed": case.state == Case.State.APPROVED,
    }


def _users_limit(judged: Lineage) -> int | None:
    """Return from how many users on a license of one's own is needed: None where there is none, 0 where unknown."""
    if judged.values["usage_thresholds"] is Answer.UNKNOWN:
        return 0
    found = [one.threshold for one in judged.thresholds if one.threshold]
    return min((one.value for one in found if one.metric in _USERS and one.effect != "display"), default=None)


def suspensions(repo: Repo, case: Case) -> list[Suspension]:
    """Return what suspends a repo: itself, its source, a license that binds it, or a file that it holds."""
    subjects = [str(pk) for pk in (repo.pk, repo.source_id) if pk]
    active = Suspension.objects.filter(lifted_at=None)
    found = list(active.filter(kind=Suspension.Kind.SUBJECT, key__in=subjects))
    found += active.filter(kind=Suspension.Kind.LICENSE, key__in=list(case.licenses))
    digests = active.filter(kind=Suspension.Kind.DIGEST)
    held = repo.blobs.filter(sha256__in=digests.values("key")).values_list("sha256", flat=True)
    return found + list(digests.filter(key__in=at_tip(repo, list(held))))


def at_tip(repo: Repo, digests: Collection[str]) -> list[str]:
    """Return those of these files that lie at the tip of main: what guests propose is no part of a repo."""
    tip = CommitRecord.objects.filter(network=repo.network_id, oid=repo.head).first() if digests else None
    there = {entry.sha256 for entry in files(repo, tip.tree)} if tip is not None else set()
    return [one for one in digests if one in there]
