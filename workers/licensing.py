"""Reading a model's terms: gather, tell texts apart, fold what it descends from, ask the policies, settle the case."""

from dataclasses import replace
from typing import Any

from hub.audit import chain
from hub.catalog import clearances, clearing, jobs, lineage
from hub.catalog.clearing import Clearance
from hub.catalog.documents import consent_documents
from hub.catalog.models import CommitRecord, Job, Repo
from hub.catalog.openness import openness_of
from hub.catalog.reviewlog import record
from hub.catalog.revision_sets import digest_for
from licenses import cases, policies, reviews
from licenses.acceptances import key_of
from licenses.cases import Found, State
from licenses.facts import Facts, facts_of, text_changes
from licenses.findings import Code, Finding, in_order
from licenses.policy import State as Outcome
from licenses.policy import Verdict, decide
from licenses.records import declared_to_json, detection_to_json, findings_to_json, lineage_to_json
from workers.errors import Refused
from workers.license_reading import Scan, read

FOLLOWS = "follows-source"
_WORST = (Outcome.BLOCKED, Outcome.HELD, Outcome.DECLARED, Outcome.CLEAR)


def scan(job: Job) -> None:
    """Read the terms of a repo as it is now; whatever changes meanwhile is read as well."""
    while not _try(job):
        continue


def descend(job: Job) -> None:
    """Ask for scans of what was made from a repo or names it."""
    if job.repo is not None:
        clearances.ask_all(lineage.descendants(job.repo).values_list("pk", flat=True))
    with jobs.finishing(job, {}):
        pass


def _try(job: Job) -> bool:
    repo = (
        Repo.objects.select_related("namespace", "source").filter(pk=job.repo_id).first()
        if job.repo_id
        else None
    )
    if repo is None:
        raise Refused("The repository is gone.")
    record_ = (
        CommitRecord.objects.select_related("card").filter(network=repo.network_id, oid=repo.head).first()
    )
    if record_ is None:
        raise Refused("The repository has no commit on main.")
    seen = (repo.scans_asked, repo.head, repo.full_name)
    done = read(repo, record_)
    found = _found(done)
    with jobs.fenced(job):
        row = clearances.lock(str(repo.pk))
        if row is None:
            raise Refused("The repository is gone.")
        if (row.scans_asked, row.head, row.full_name) != seen:
            return False
        with jobs.finishing(job, {"outcome": str(found.outcome), "findings": len(found.columns["findings"])}):
            _settle(row, record_, done, found)
    return True


def _settle(repo: Repo, record_: CommitRecord, done: Scan, found: Found) -> None:
    lineage.write_edges(repo, done.edges)
    case = cases.open_case(
        subject=str(repo.pk), label=repo.full_name, commit=record_.oid,
        digest=digest_for(done.gathered.revision.digest, repo.full_name), now=done.now,
    )  # fmt: skip
    before = case.state
    case = cases.settle(case=case, found=found, now=done.now)
    by = chain.policy(found.policies[0]["id"]) if found.policies else chain.system("scan")
    if case.state != before:
        record(repo, case, by=by)
    if clearances.suspensions(repo, case) and case.state not in (State.SUSPENDED, State.WITHDRAWN):
        why = clearances.suspensions(repo, case)[0]
        case = reviews.suspend(case=case, by=None, reason=f"Suspended: {why.reason}", now=done.now)
        record(repo, case, by=chain.system("suspension"))
    clearances.write(repo, case, by=by)
    CommitRecord.objects.filter(pk=record_.pk, terms="").update(terms=done.gathered.revision.digest)
    Repo.objects.filter(pk=repo.pk).update(scans_done=done.repo.scans_asked)


def _found(done: Scan) -> Found:
    """Ask the policies; what was made here from another repo follows it where it says nothing else."""
    repo, texts, use = done.repo, done.gathered.texts, done.judged.use_licenses
    precedent = cases.precedent_of(texts, use, now=done.now)
    facts = facts_of(
        repo.full_name, done.identification, done.judged, done.readings, texts=frozenset(texts),
        reviewed_texts=cases.reviewed_texts(str(repo.pk)),
        precedent="" if precedent is None else "approved" if precedent.to_state == State.APPROVED else "rejected",
        waivers=policies.waivers_of(str(repo.pk), name=repo.full_name, now=done.now),
    )  # fmt: skip
    uncleared = any(one.code is Code.LIN_UNRESOLVED for one in done.extra)
    facts = replace(
        facts, findings=in_order([*facts.findings, *done.extra]),
        ancestors_clear=facts.ancestors_clear and not uncleared,
    )  # fmt: skip
    changes = text_changes(facts)
    verdict = decide(facts, policies.current_policies(), now=done.now)
    ends = [one.expires_at for one in facts.waivers if one.policy in verdict.waived]
    if facts.precedent == "approved" and precedent is not None and precedent.expires_at and verdict.releases:
        ends.append(precedent.expires_at)
    outcome, told, follows = _outcome(done, verdict)
    columns = _columns(done, facts, in_order([*facts.findings, *changes]))
    columns["lineage"] |= {"follows": follows}
    return Found(
        outcome, columns, told, first_seen=cases.is_first_seen(texts, use), changed=bool(changes),
        lasts_until=min(ends, default=None),
    )  # fmt: skip


def _outcome(done: Scan, verdict: Verdict) -> tuple[Outcome, list[dict[str, object]], bool]:
    known = {one.id: one for one in policies.current_policies()}
    told: list[dict[str, object]] = [
        {
            "id": slug,
            "title": known[slug].title,
            "action": str(known[slug].action),
            "waived": slug in verdict.waived,
        }
        for slug in (*verdict.policies, *verdict.waived)
    ]
    outcome = verdict.state
    if not clearing.holds_weights(done.repo):
        # Data sets of tables are read and shown; nobody holds them.
        return (outcome if verdict.releases else Outcome.DECLARED), told, False
    source = done.repo.source
    if source is None:
        return outcome, told, False
    theirs = _of_source(source)
    title = f"It follows {source.full_name}, from which it was made."
    follows = {"id": FOLLOWS, "title": title, "action": "follow", "waived": False}
    if _says_nothing_else(done, source):
        return theirs, [follows], True
    return min(outcome, theirs, key=_WORST.index), [*told, follows], False


def _of_source(source: Repo) -> Outcome:
    match Clearance(source.clearance):
        case Clearance.CLEAR:
            return Outcome.CLEAR
        case Clearance.DECLARED:
            return Outcome.DECLARED
        case Clearance.BLOCKED | Clearance.SUSPENDED:
            return Outcome.BLOCKED
        case _:
            return Outcome.HELD


def _says_nothing_else(done: Scan, source: Repo) -> bool:
    """True where card and texts are the source's own, and nothing else shows where the model comes from."""
    case = cases.current_case(str(source.pk))
    if case is None:
        return False
    same_terms = set(done.own) <= set(case.lineage.get("own") or ()) | set(case.licenses)
    same_texts = set(done.gathered.texts) <= set(case.texts)
    above = {one["name"].casefold() for one in case.lineage.get("nodes", ())} | {source.full_name.casefold()}
    known = all(edge.name.casefold() in above for edge in done.edges if edge.relation != "dataset")
    return same_terms and same_texts and known


def _columns(done: Scan, facts: Facts, findings: tuple[Finding, ...]) -> dict[str, Any]:
    gathered, judged, repo = done.gathered, done.judged, done.repo
    standing = cases.current_case(str(repo.pk))
    documents = consent_documents(
        judged, readings=done.readings, files=gathered.detections, normalized=gathered.normalized,
        revision=gathered.revision, hashes=gathered.hashes, conditions=standing.conditions if standing else (),
    )  # fmt: skip
    repo.consent = key_of(str(repo.pk), documents)
    texts = {path: found.licenses[0] for path, found in gathered.detections.items() if found.is_clean}
    grade = openness_of(
        repo, gathered.record, licenses=judged.licenses, use_licenses=judged.use_licenses, readings=done.readings,
        texts=texts,
    )  # fmt: skip
    return {
        "declared": declared_to_json(done.identification.declared),
        "detected": [detection_to_json(path, found) for path, found in gathered.detections.items()],
        "concluded": judged.concluded,
        "effective_use": judged.effective_use,
        "licenses": list(judged.use_licenses),
        "findings": findings_to_json(findings),
        "evidence": gathered.evidence,
        "texts": gathered.texts,
        "consent": documents,
        "lineage": {
            **lineage_to_json(judged), **done.graph.to_json(), "own": list(done.own),
            "facts": policies.facts_to_json(facts), "openness": int(grade.rung),
            "edition": done.edition,
        },
    }  # fmt: skip
