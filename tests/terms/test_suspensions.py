"""Suspensions: what they reach here and later, whoever holds the bytes, and after a deletion."""

import pytest
from pytest_django.fixtures import Settings

from hub.catalog import access, pulls, repos, reviewing, suspending
from hub.catalog.errors import NotAllowed, TermsHeld
from hub.catalog.names import FilePath
from hub.catalog.operations import AddLarge
from licenses.errors import WrongState
from licenses.models import Case, Suspension
from licenses.reviews import Answer
from tests.factories import at, commit_all, make_repo, make_viewer, push, push_large, send
from tests.licenses.known import text_of
from tests.terms.kit import again, card, case_of, model, reviewed_hub
from tests.terms.test_gate import ALL, WEIGHTS, refused, reviewer

__all__ = ["reviewed_hub"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reviewed_hub")]
State = Case.State
MIT = {"README.md": card("mit"), "LICENSE": text_of("mit").encode()}


def test_suspension_by_repo_by_license_and_by_digest_reaches_what_is_here_and_what_comes() -> None:
    owner, ann, rita = make_viewer(), make_viewer(), reviewer()
    repo = model(owner, "plain", {"README.md": card("mit"), "LICENSE": text_of("mit").encode()})
    sha256 = push_large(owner, repo, "model.bin", WEIGHTS)
    repo = again(repo)
    with pytest.raises(NotAllowed):
        suspending.suspend(ann, kind="digest", key=sha256, reason="No.")
    for kind, key in (("subject", str(repo.pk)), ("license", "mit"), ("digest", sha256)):
        assert refused(ann, repo, sha256) == set()
        row = suspending.suspend(rita, kind=kind, key=key, reason="A notice came in.")
        assert refused(ann, repo, sha256) == ALL
        assert (again(repo).clearance, case_of(repo).state) == ("suspended", State.SUSPENDED)
        suspending.lift(rita, row, reason="Settled.")
        assert again(repo).clearance == "clear"
    suspending.suspend(rita, kind="digest", key=sha256, reason="Stolen.")
    other = model(owner, "other", {"README.md": card("mit"), "LICENSE": text_of("mit").encode()})
    assert other.clearance == "clear"
    push_large(owner, other, "model.bin", WEIGHTS)
    assert again(other).clearance == "suspended"
    assert refused(ann, other, sha256) == ALL
    reviewing.act(rita, case_of(repo), verb="withdraw", answer=Answer(note_public="For good."))
    with pytest.raises(WrongState):
        reviewing.act(rita, case_of(repo), verb="reinstate", answer=Answer(note_public="No."))


def test_suspension_counts_in_a_hub_that_does_not_review(settings: Settings) -> None:
    settings.HUB_REVIEW = "off"
    owner, ann = make_viewer(), make_viewer()
    repo = make_repo(owner)
    push(owner, repo, {"README.md": card("other")})
    assert access.may_pull(ann, repo).allowed
    row = suspending.suspend(
        make_viewer(staff=True), kind=Suspension.Kind.SUBJECT, key=str(repo.pk), reason="Stop."
    )
    assert not access.may_pull(ann, again(repo)).allowed
    suspending.lift(make_viewer(staff=True), row, reason="Go.")
    assert access.may_pull(ann, again(repo)).allowed


def test_whoever_holds_the_same_weights_is_held_and_waits_for_a_review() -> None:
    owner, other, rita = make_viewer(), make_viewer(), reviewer()
    earlier = model(other, "earlier", MIT)
    push_large(other, earlier, "weights.safetensors", WEIGHTS)
    repo = model(owner, "plain", MIT)
    push_large(owner, repo, "model.safetensors", WEIGHTS)
    assert (again(earlier).clearance, again(repo).clearance) == ("clear", "clear")
    row = suspending.suspend(rita, kind="subject", key=str(repo.pk), reason="A notice came in.")
    earlier.refresh_from_db()
    assert earlier.clearance == "held"
    assert again(earlier).clearance == "held"
    assert "a repository that is suspended" in str(case_of(earlier).findings)
    suspending.lift(rita, row, reason="Settled.")
    assert again(earlier).clearance == "clear"


def test_a_suspended_repo_does_not_come_back_under_another_name() -> None:
    owner, rita = make_viewer(), reviewer()
    repo = model(owner, "plain", MIT)
    sha256 = push_large(owner, repo, "model.safetensors", WEIGHTS)
    suspending.suspend(rita, kind="subject", key=str(again(repo).pk), reason="Stolen.", final=True)
    repos.delete_repo(owner, again(repo))
    fresh = model(owner, "fresh", MIT)
    push_large(owner, fresh, "model.safetensors", WEIGHTS)
    assert again(fresh).clearance == "suspended"
    assert refused(make_viewer(), fresh, sha256) == ALL


def test_a_data_set_with_weights_in_it_is_held_like_a_model() -> None:
    owner, ann = make_viewer(), make_viewer()
    tables = make_repo(owner, "tables", type_="dataset")
    push(owner, tables, {"README.md": card("cc-by-nc-4.0")})
    assert access.may_pull(ann, again(tables)).allowed
    push_large(owner, tables, "model.safetensors", WEIGHTS)
    assert access.may_pull(ann, again(tables)).reason == "held"


def test_a_suspended_file_in_a_proposal_suspends_nobody_but_itself() -> None:
    owner, guest, rita = make_viewer(), make_viewer(), reviewer()
    repo = model(owner, "plain", MIT)
    sha256 = send(guest, repo, WEIGHTS)
    large = AddLarge(FilePath.parse("a.bin"), sha256, len(WEIGHTS))
    commit_all(guest, repo, [large], create_pr=True)
    suspending.suspend(rita, kind="digest", key=sha256, reason="Stolen.")
    assert again(repo).clearance == "clear"
    with pytest.raises(TermsHeld):
        pulls.open_file(guest, at(repo, "refs/pr/1"), "a.bin")
