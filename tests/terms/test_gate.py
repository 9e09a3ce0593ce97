"""What the gate says on every way to the bytes: held, accepted, taken back, suspended, and of other revisions."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from hub.accounts.identity import ANONYMOUS, Viewer
from hub.accounts.models import Membership, Organization
from hub.catalog import access, archives, consents, pulls, reviewing, shelfkeeping, xet_tokens
from hub.catalog.consents import Word
from hub.catalog.errors import AccessRestricted, BadRequest, NotAllowed, TermsHeld, TermsNotAccepted
from hub.catalog.models import Notice, RefusedPull, Repo
from hub.catalog.tickets import DownloadTicket, identity_of
from licenses.errors import NeedsReason, NotYours, StaleTerms, UseRefused, WrongState
from licenses.models import Acceptance, Case, License
from licenses.reviews import Answer
from licenses.shipped import shipped_readings
from tests.factories import at, make_organization, make_repo, make_viewer, push, push_large
from tests.licenses.known import text_of
from tests.terms.kit import again, answered, approve, card, case_of, codes, llama_files, model, reviewed_hub

__all__ = ["reviewed_hub"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reviewed_hub")]
State = Case.State
WEIGHTS = b"weights " * 20_000


def reviewer(name: str = "") -> Viewer:
    viewer = make_viewer(name)
    assert viewer.user
    viewer.user.is_reviewer = True
    viewer.user.save()
    return viewer


def llama(owner: Viewer, name: str = "Llama-Notes") -> tuple[Repo, str]:
    """Return a fine-tune that waits for a review, and the sha256 of its weights."""
    repo = make_repo(owner, name)
    sha256 = push_large(owner, repo, "model.bin", WEIGHTS + name.encode())
    push(owner, repo, llama_files())
    return again(repo), sha256


def released(owner: Viewer) -> tuple[Repo, str]:
    repo, sha256 = llama(owner)
    return approve(reviewer(), repo), sha256


def word(viewer: Viewer, repo: Repo, **told: object) -> Word:
    asked = consents.required(viewer, repo)
    return Word(key=asked.key, shown=asked.shown, **told)  # type: ignore[arg-type]


def ways(viewer: Viewer, repo: Repo, sha256: str) -> dict[str, Callable[[], object]]:
    """Return every way to the bytes."""
    ticket = DownloadTicket(str(repo.pk), *identity_of(viewer), sha256, "model.bin")
    return {
        "resolve": lambda: pulls.open_file(viewer, at(repo), "model.bin"),
        "small": lambda: pulls.open_file(viewer, at(repo), "README.md"),
        "proxied": lambda: pulls.redeem(ticket),
        "lfs": lambda: pulls.held(viewer, repo, [sha256])[sha256],
        "chunks": lambda: xet_tokens.grant_read(viewer, repo),
        "archive": lambda: archives.open_folder(viewer, at(repo), ""),
    }


def refused(viewer: Viewer, repo: Repo, sha256: str) -> set[str]:
    """Return the ways that are closed, all of them with the same error."""
    closed, why = set(), set()
    repo = Repo.objects.select_related("namespace", "source").get(pk=repo.pk)
    for name, way in ways(viewer, repo, sha256).items():
        try:
            way()
        except AccessRestricted as error:
            closed.add(name)
            why.add((type(error), str(error)))
    assert len(why) <= 1
    return closed


ALL = {"resolve", "small", "proxied", "lfs", "chunks", "archive"}


def test_what_is_held_is_closed_to_strangers_on_every_way_and_open_to_members_and_reviewers() -> None:
    owner, stranger = make_viewer(), make_viewer()
    repo, sha256 = llama(owner)
    assert refused(stranger, repo, sha256) == refused(ANONYMOUS, repo, sha256) == ALL
    assert refused(owner, repo, sha256) == refused(reviewer(), repo, sha256) == set()
    with pytest.raises(TermsHeld, match=rf"{repo.full_name} is held: its terms wait for a review.*/license"):
        access.require_pull(stranger, repo)
    row = RefusedPull.objects.get(repo=repo, user=stranger.user)
    assert row.times > 1


def test_terms_are_accepted_counted_and_taken_back() -> None:
    owner, ann = make_viewer(), make_viewer()
    repo, sha256 = released(owner)
    assert (repo.clearance, case_of(repo).state) == ("clear", State.APPROVED)
    assert refused(ann, repo, sha256) == ALL
    with pytest.raises(TermsNotAccepted, match=r"ask for your consent: llama3\.1.*/license"):
        access.require_pull(ann, repo)
    given = consents.accept(ann, repo, word(ann, repo, address="192.0.2.7", user_agent="curl"))
    assert refused(ann, repo, sha256) == set()
    assert refused(make_viewer(), repo, sha256) == ALL
    assert access.acceptance_for(ann, repo) == given
    with pytest.raises(Exception, match="no such acceptance"):
        consents.withdraw(make_viewer(), given.pk)
    consents.withdraw(ann, given.pk)
    assert refused(ann, repo, sha256) == ALL
    assert Acceptance.objects.get().withdrawn_at


def test_a_changed_text_makes_it_stale_and_everybody_is_asked_again() -> None:
    owner, ann = make_viewer(), make_viewer()
    repo, sha256 = released(owner)
    before = word(ann, repo)
    consents.accept(ann, repo, before)
    push(
        owner, repo, {"LICENSE": text_of("llama3.1").encode() + b"\nYou must send us a postcard each year.\n"}
    )
    assert refused(ann, repo, sha256) == ALL
    repo = again(repo)
    assert (case_of(repo).state, "TEXT-CHANGED" in codes(repo)) == (State.STALE, True)
    with pytest.raises(TermsHeld):
        consents.accept(ann, repo, word(ann, repo))
    repo = approve(reviewer(), repo)
    assert repo.clearance == "clear"
    with pytest.raises(TermsNotAccepted):
        access.require_pull(ann, repo)
    with pytest.raises(StaleTerms):
        consents.accept(ann, repo, before)
    consents.accept(ann, repo, word(ann, repo))
    assert refused(ann, repo, sha256) == set()
    assert Acceptance.objects.filter(superseded_by__isnull=False).count() == 1


def test_an_admin_accepts_for_an_organization_and_who_leaves_it_loses_it() -> None:
    owner, boss, ben = make_viewer(), make_viewer(), make_viewer()
    repo, sha256 = released(owner)
    assert boss.user
    assert ben.user
    make_organization("acme", admin=boss.user, read=ben.user)
    with pytest.raises(NotAllowed):
        consents.accept(ben, repo, word(ben, repo, organization="acme", officer="CTO"))
    with pytest.raises(NeedsReason):
        consents.accept(boss, repo, word(boss, repo, organization="acme"))
    given = consents.accept(boss, repo, word(boss, repo, organization="ACME", officer="CTO"))
    assert refused(ben, repo, sha256) == set()
    with pytest.raises(NotYours):
        consents.withdraw(ben, given.pk)
    Membership.objects.filter(user=ben.user).delete()
    assert refused(ben, repo, sha256) == ALL
    Organization.objects.filter(name="acme").update(name="acme-2")
    assert refused(boss, repo, sha256) == ALL


def test_a_country_that_the_license_excludes_is_refused_and_the_cards_fields_are_asked() -> None:
    owner, ann = make_viewer(), make_viewer()
    more = "extra_gated_fields:\n  Company: text\n  I agree: checkbox"
    files = llama_files()
    body = card(
        "llama3.2", base="meta-llama/Llama-3.2-11B-Vision", body="Built with Llama. Changed.", more=more
    )
    notice = shipped_readings()["llama3.2"].notice.encode()
    repo = model(
        owner,
        "Llama-Eyes",
        files | {"README.md": body, "LICENSE": text_of("llama3.2").encode(), "NOTICE": notice},
    )
    repo = approve(reviewer(), repo)
    asked = consents.required(ann, repo)
    assert [one["type"] for one in asked.asked] == ["text", "checkbox", "country"]
    fields = {"Company": "Acme", "I agree": True, "country": "DE"}
    with pytest.raises(UseRefused) as error:
        consents.accept(ann, repo, word(ann, repo, fields=fields))
    assert [one.code for one in error.value.findings] == ["GEO"]
    given = consents.accept(ann, repo, word(ann, repo, fields=fields | {"country": "us"}))
    assert (given.country, given.fields["Company"]) == ("US", "Acme")


def test_what_was_made_from_a_repo_follows_it_and_one_acceptance_does_for_both() -> None:
    owner, ann = make_viewer("owner"), make_viewer()
    source, _ = llama(owner)
    made = make_repo(owner, "Llama-Notes-GGUF")
    Repo.objects.filter(pk=made.pk).update(source=source)
    sha256 = push_large(owner, made, "model.bin", WEIGHTS)
    push(owner, made, llama_files(body="Built with Llama. Quantized."))
    made = again(made)
    assert (made.clearance, case_of(made).policies[0]["id"]) == ("held", "follows-source")
    source = approve(reviewer(), source)
    made = again(made)
    assert (made.clearance, made.consent) == ("clear", source.consent)
    consents.accept(ann, made, word(ann, made))
    assert refused(ann, made, sha256) == set()
    assert access.may_pull(ann, source).allowed
    push(owner, source, {"LICENSE": b"Ask me."})
    assert again(source).clearance == "held"
    assert refused(ann, made, sha256) == ALL
    push(owner, source, {"LICENSE": llama_files()["LICENSE"]})
    assert (again(source).clearance, again(made).clearance) == ("clear", "clear")
    push(owner, made, {"README.md": card("mit")})
    assert again(made).clearance in ("held", "blocked")


def test_a_revision_that_was_not_reviewed_is_held_whatever_main_is() -> None:
    owner, ann = make_viewer(), make_viewer()
    repo = model(owner, "plain", {"README.md": card("mit"), "LICENSE": text_of("mit").encode()})
    first = repo.head
    push(owner, repo, {"notes.txt": b"1"})
    push(owner, repo, {"LICENSE": b"All yours, if you are nice."})
    repo = again(repo)
    assert repo.clearance == "held"
    push(owner, repo, {"LICENSE": text_of("mit").encode()})
    repo = again(repo)
    odd = Case.objects.get(subject=str(repo.pk), current=False).commit
    assert pulls.open_file(ann, at(repo, first), "README.md")
    assert pulls.open_file(owner, at(repo, odd), "README.md")
    with pytest.raises(TermsHeld, match="This revision"):
        pulls.open_file(ann, at(repo, odd), "README.md")
    with pytest.raises(TermsHeld):
        archives.open_folder(ANONYMOUS, at(repo, odd), "")


def test_two_reviewers_agree_on_what_was_never_seen_and_the_next_rides_on_it() -> None:
    owner = make_viewer()
    ann, ben, _ = reviewer(), reviewer(), reviewer()
    repo, _ = llama(owner)
    assert approve(ann, repo).clearance == "held"
    assert case_of(repo).state == State.SECOND_REVIEW
    assert approve(ben, repo).clearance == "clear"
    assert Notice.objects.filter(user=owner.user, text__contains="was approved").exists()
    second, _ = llama(make_viewer(), "Llama-Other")
    assert (second.clearance, [one["id"] for one in case_of(second).policies]) == ("clear", ["approved-text"])


def test_the_only_reviewer_may_decide_on_their_own_work_and_it_is_marked() -> None:
    rita = reviewer()
    repo, _ = llama(rita)
    with pytest.raises(NeedsReason):
        reviewing.act(rita, case_of(repo), verb="approve", answer=Answer(checklist=answered(repo).checklist))
    assert approve(rita, repo).clearance == "clear"
    assert case_of(repo).single_person


def test_a_use_policy_that_may_change_shortens_an_approval(settings: Settings) -> None:
    repo, _ = llama(make_viewer())
    License.objects.filter(slug="llama3.1").update(flags=["dynamic use policy"])
    approve(reviewer(), repo, days=300)
    case = case_of(repo)
    assert case.expires_at
    assert case.decided_at
    assert (case.expires_at - case.decided_at).days == 90
    assert Repo.objects.get(pk=repo.pk).cleared_until == case.expires_at


def test_nothing_is_accepted_where_nothing_is_asked() -> None:
    repo = model(make_viewer(), "plain", {"README.md": card("mit"), "LICENSE": text_of("mit").encode()})
    with pytest.raises(BadRequest):
        consents.accept(make_viewer(), repo, Word(key="", shown=""))


def test_an_approval_lasts_no_longer_than_the_waiver_it_rests_on() -> None:
    rita = reviewer()
    repo = model(
        make_viewer(), "SuperChat", {"README.md": card("apache-2.0", base="meta-llama/Llama-3.1-8B")}
    )
    with pytest.raises(WrongState):
        approve(rita, repo)
    told = {"case": case_of(repo), "justification": "We have it in writing.", "days": 7}
    row = shelfkeeping.waive(rita, policy="blocking-findings", **told)  # type: ignore[arg-type]
    assert again(repo).clearance == "held"
    repo = approve(rita, again(repo))
    assert (repo.clearance, repo.cleared_until) == ("clear", row.expires_at)
    Repo.objects.filter(pk=repo.pk).update(cleared_until=timezone.now())
    assert not access.may_pull(ANONYMOUS, Repo.objects.get(pk=repo.pk)).allowed
    shelfkeeping.revoke(rita, waiver=row)
    assert (again(repo).clearance, case_of(repo).state) == ("blocked", State.BLOCKED)
