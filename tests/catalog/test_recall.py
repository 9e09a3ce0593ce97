"""What a recall reaches, and whom; and what was permitted at a moment."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from hub.accounts.identity import ANONYMOUS, Viewer
from hub.audit import acts, chain
from hub.audit.models import Entry
from hub.catalog import auditing, clearances, recall, recalling
from hub.catalog.errors import BadRequest, EntryNotFound, NotAllowed, SignInNeeded
from hub.catalog.models import Inspection, LineageEdge, PullRecord, Repo, RepoBlob
from licenses.errors import NeedsReason
from licenses.models import Suspension
from tests.factories import make_repo, make_user, make_viewer, push_large, with_token

pytestmark = pytest.mark.django_db
SHA256 = hashlib.sha256(b"weights").hexdigest()


@pytest.fixture
def staff() -> Viewer:
    return make_viewer(staff=True)


@pytest.fixture
def owner() -> Viewer:
    return make_viewer("ann")


def hold(repo: Repo, sha256: str, size: int = 1000, format_: str = "safetensors") -> None:
    RepoBlob.objects.create(repo=repo, sha256=sha256, size=size, state=RepoBlob.State.PROVEN)
    Inspection.objects.get_or_create(sha256=sha256, defaults={"format": format_})


def edge(child: Repo, parent: Repo, relation: str = "finetune") -> None:
    LineageEdge.objects.create(
        repo=child, parent=parent.key, parent_repo=parent, relation=relation, source="card", strength=1
    )


def pulled(repo: Repo, viewer: Viewer, sha256: str = SHA256, times: int = 1) -> None:
    today = datetime.now(UTC).date()
    PullRecord.objects.create(
        repo=repo, label=repo.full_name, user=viewer.user, sha256=sha256, day=today, times=times
    )


def reached(found: recall.Recall) -> dict[str, list[str]]:
    return {one.repo.name: [why for why, _ in one.whys] for one in found.affected}


def test_a_repo_reaches_its_twins_and_all_that_was_made_from_either(staff: Viewer, owner: Viewer) -> None:
    root, twin, child, grandchild, made, named, other = (make_repo(owner) for _ in range(7))
    for repo in (root, twin):
        hold(repo, SHA256)
    for repo in (root, other):
        hold(repo, "b" * 64, format_="unknown")
    edge(child, twin)
    edge(grandchild, child, "quantized")
    edge(root, grandchild)
    Repo.objects.filter(pk=made.pk).update(source=root)
    Repo.objects.filter(pk=named.pk).update(base_models=[root.full_name])
    assert reached(recall.find(staff, "repo", root.full_name.upper())) == {
        root.name: ["itself"],
        twin.name: ["same-bytes"],
        child.name: ["finetune"],
        grandchild.name: ["quantized"],
        made.name: ["made-here"],
        named.name: ["base-model"],
    }


def test_a_license_reaches_what_it_binds_and_what_claims_it(staff: Viewer, owner: Viewer) -> None:
    bound, claimed, child, twin = (make_repo(owner) for _ in range(4))
    for repo in (bound, twin):
        hold(repo, SHA256)
    Repo.objects.filter(pk=bound.pk).update(concluded=["llama3.1", "mit"])
    Repo.objects.filter(pk=claimed.pk).update(license="llama3.1")
    edge(child, bound)
    found = recall.find(staff, "license", "llama3.1")
    assert reached(found) == {
        bound.name: ["license"],
        claimed.name: ["declared"],
        twin.name: ["same-bytes"],
        child.name: ["finetune"],
    }


def test_a_digest_reaches_every_repo_and_everybody_who_pulled_it(staff: Viewer, owner: Viewer) -> None:
    one, two, child = (make_repo(owner) for _ in range(3))
    for repo in (one, two):
        hold(repo, SHA256)
    edge(child, two)
    reader, colleague = make_viewer("reader"), make_viewer("colleague")
    pulled(one, reader, times=3)
    pulled(two, reader)
    pulled(two, colleague)
    pulled(two, ANONYMOUS, times=4)
    pulled(two, colleague, sha256="c" * 64)
    found = recall.find(staff, "digest", SHA256.upper())
    assert reached(found) == {one.name: ["holds"], two.name: ["holds"], child.name: ["finetune"]}
    totals = found.totals()
    assert (totals["people"], totals["times"], totals["strangers"]) == (2, 9, 4)
    people = {row["name"]: (row["files"], row["repos"], row["times"]) for row in recall.by_person(found, 10)}
    assert people == {"reader": (2, 2, 4), "colleague": (1, 1, 1), None: (1, 1, 4)}


def test_a_repo_that_is_gone_is_known_by_its_pulls(staff: Viewer, owner: Viewer) -> None:
    repo = make_repo(owner)
    pulled(repo, make_viewer("reader"))
    name = repo.full_name
    repo.delete()
    found = recall.find(staff, "repo", name)
    assert (found.affected, found.former) == ([], name)
    assert found.totals()["people"] == 1


@pytest.mark.parametrize(
    ("kind", "key", "error"),
    [
        ("planet", "x", BadRequest),
        ("repo", "", BadRequest),
        ("repo", "nobody/nothing", EntryNotFound),
        ("repo", "0" * 36, EntryNotFound),
        ("license", "never-heard-of", EntryNotFound),
        ("digest", "abc", BadRequest),
        ("digest", "0" * 64, EntryNotFound),
    ],
)
def test_what_names_nothing_is_refused(staff: Viewer, kind: str, key: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        recall.find(staff, kind, key)


def test_only_reviewers_and_staff_ask(owner: Viewer) -> None:
    with pytest.raises(SignInNeeded):
        recall.find(ANONYMOUS, "repo", "a/b")
    with pytest.raises(NotAllowed):
        recall.find(owner, "repo", "a/b")
    admin = make_user(staff=True)
    with pytest.raises(NotAllowed):
        auditing.permitted(with_token(admin, "fineGrained")[0], None)
    reviewer = make_user()
    reviewer.is_reviewer = True
    reviewer.save()
    auditing.require_audit(Viewer(user=reviewer))


def clearance(*repos: Repo) -> list[str]:
    found = Repo.objects.in_bulk([repo.pk for repo in repos])
    return [found[repo.pk].clearance for repo in repos]


def test_a_recalled_repo_is_held_alone_or_with_all_that_it_reaches(staff: Viewer, owner: Viewer) -> None:
    root, made, child = (make_repo(owner) for _ in range(3))
    Repo.objects.filter(pk=made.pk).update(source=root)
    edge(child, root)
    Repo.objects.update(clearance="clear")
    words: dict[str, Any] = {"kind": "repo", "key": root.full_name, "reason": "The steward asked."}
    assert recalling.suspend_all(staff, **words) == sorted([root.full_name, made.full_name])
    assert clearance(root, made, child) == ["suspended", "suspended", "clear"]
    assert child.full_name in recalling.suspend_all(staff, everything=True, **words)
    assert clearance(child) == ["suspended"]


@pytest.mark.parametrize("kind", ["license", "digest"])
def test_what_comes_under_a_recalled_license_or_digest_is_held_by_it(
    staff: Viewer, owner: Viewer, kind: str
) -> None:
    repo, other = make_repo(owner), make_repo(owner)
    # Only what lies in the repo itself is meant: what guests propose holds nobody's repo.
    key = {"license": "gemma", "digest": push_large(owner, repo, "w.bin", b"weights" * 99)}[kind]
    Repo.objects.update(clearance="clear")
    Repo.objects.filter(pk=repo.pk).update(concluded=["gemma"])
    assert recalling.suspend_all(staff, kind=kind, key=key, reason="No longer.") == [repo.full_name]
    assert clearance(repo, other) == ["suspended", "clear"]
    assert Suspension.objects.filter(kind=kind, key=key, lifted_at=None).exists()
    chain.settle()
    assert Entry.objects.filter(act=acts.SUSPENDED, data__key=key).exists()


def test_a_recall_without_a_reason_or_a_right_holds_nothing(staff: Viewer, owner: Viewer) -> None:
    repo = make_repo(owner)
    Repo.objects.update(clearance="clear")
    assert staff.user is not None
    with pytest.raises(NeedsReason):
        recalling.suspend_all(staff, kind="repo", key=repo.full_name, reason=" ")
    for viewer in (owner, with_token(staff.user, "read")[0]):
        with pytest.raises(NotAllowed):
            recalling.suspend_all(viewer, kind="repo", key=repo.full_name, reason="x")
    assert clearance(repo) == ["clear"]


def cleared(repo: Repo, clearance: str, actor: chain.Actor, **data: Any) -> Entry:
    entry = chain.append(
        act=acts.CLEARANCE, actor=actor, subject=str(repo.pk), label=repo.full_name,
        data={"clearance": clearance, "case": "c", **data},
    )  # fmt: skip
    chain.settle()
    entry.refresh_from_db()
    return entry


def test_what_was_permitted_is_told_for_any_moment(staff: Viewer, owner: Viewer) -> None:
    reviewer = make_user("rita")
    one, two, gone = (make_repo(owner) for _ in range(3))
    start = timezone.now()
    seen = chain.append(act="review.approve", actor=chain.person(reviewer), subject=str(one.pk),
                        data={"case": "c", "reasons": ["LIC-ALTERED"]})  # fmt: skip
    first = cleared(one, "clear", chain.person(reviewer), licenses=["mit"])
    cleared(two, "declared", chain.policy("declared-permissive"))
    cleared(gone, "clear", chain.policy("p"))
    chain.append(
        act=acts.REPO_DELETED, actor=chain.person(reviewer), subject=str(gone.pk), label=gone.full_name
    )
    last = cleared(one, "held", chain.policy("text-changed"))

    def at(moment: datetime | None, **words: str) -> list[tuple[str, str]]:
        found = auditing.permitted(staff, moment, **words)
        return sorted((item.entry.label, item.who) for item in auditing.explained(list(found)))

    assert at(None) == [(two.full_name, "policy declared-permissive")]
    before = last.at - timedelta(microseconds=1)
    assert at(before) == sorted([(one.full_name, "rita"), (two.full_name, "policy declared-permissive")])
    assert at(start) == []
    assert at(before, license_id="mit") == [(one.full_name, "rita")]
    assert at(before, text=two.name) == [(two.full_name, "policy declared-permissive")]
    explained = auditing.explained([first])[0]
    assert [(act.pk, who) for act, who in explained.citing] == [(seen.pk, "rita")]
    assert explained.repo == one


def test_what_a_commit_or_a_source_holds_back_is_not_told_as_permitted(staff: Viewer, owner: Viewer) -> None:
    repo = make_repo(owner)
    Repo.objects.filter(pk=repo.pk).update(clearance="clear")
    released = cleared(repo, "clear", chain.policy("p"))
    for _ in range(2):
        clearances.hold_back(
            Repo.objects.filter(pk=repo.pk), Repo.Clearance.SCANNING, by=chain.system("commit")
        )
    chain.settle()
    assert clearance(repo) == ["scanning"]
    assert list(auditing.permitted(staff, None)) == []
    assert list(auditing.permitted(staff, released.at)) == [released]
    assert Entry.objects.filter(act=acts.CLEARANCE).count() == 2


def test_a_date_means_its_end_and_nonsense_is_refused() -> None:
    day = auditing.moment("2026-01-31", field="at", end_of_day=True)
    assert day == datetime(2026, 1, 31, 23, 59, 59, 999999, UTC)
    assert auditing.moment("2026-01-31", field="at") == datetime(2026, 1, 31, tzinfo=UTC)
    assert auditing.moment("2026-01-31T12:00+02:00", field="at") == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert auditing.moment("", field="at") is None
    for text in ("yesterday", "0001-01-01T00:00+14:00", "2026-13-01", "9" * 500):
        with pytest.raises(BadRequest, match="at must be a date"):
            auditing.moment(text, field="at", end_of_day=True)
