"""The review desk, as reviewers see it."""

import pytest
from django.test import Client

from hub.accounts.identity import ANONYMOUS, Viewer
from hub.accounts.models import User
from hub.catalog import access, reviewing
from hub.catalog.models import Notice, RefusedPull, Repo
from licenses.errors import NeedsReason
from licenses.models import Case
from licenses.reviews import Answer
from tests.pages.desk_kit import ADDED, MIT, answers, decide, reviewer
from tests.pages.kit import logged_in, put, text_of, words_of
from tests.terms.kit import BASE, again, card, case_of, llama_files, model, reviewed_hub

__all__ = ["reviewed_hub"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reviewed_hub")]
State = Case.State


@pytest.fixture
def ann(ada: User) -> Viewer:
    return Viewer(user=ada)


def test_only_reviewers_come_in_and_the_header_counts_what_waits(
    ann: Viewer, bob: User, client: Client
) -> None:
    repo = model(ann, "Llama-Quay", llama_files())
    RefusedPull.objects.create(repo=repo, user=bob)
    case = case_of(repo)
    for path in ("/review", f"/review/{case.pk}", "/review/policies", "/review/waivers", "/review/upstream"):
        assert client.get(path).headers["location"].startswith("/login?next=")
        assert logged_in(bob).get(path).status_code == 403
    rita = reviewer("rita")
    page = text_of(rita.get("/review"))
    assert "1 waiting" in page and "ada/Llama-Quay" in page and "first seen" in page
    assert "Nobody here has approved these terms before." in page
    assert '<span class="badge is-info">1<span class="vh"> waiting' in page
    assert "1 waiting" not in text_of(rita.get("/review?q=elsewhere")).partition("<table")[2]
    rita.post(f"/review/{case.pk}/assign", {"do": "set-aside", "days": "3"})
    assert "0 waiting" in text_of(rita.get("/review"))
    assert "ada/Llama-Quay" in text_of(rita.get("/review?show=set-aside"))
    assert rita.get("/review/00000000-0000-0000-0000-000000000000").status_code == 404


def test_a_text_is_shown_beside_the_known_one_and_never_as_markup(ann: Viewer) -> None:
    case = case_of(model(ann, "Ledger", {"README.md": card("mit"), "LICENSE": ADDED.encode()}))
    page = text_of(reviewer("rita").get(f"/review/{case.pk}"))
    assert "<script>alert" not in page and "&lt;script&gt;alert(&quot;terms&quot;)&lt;/script&gt;" in page
    assert "Added, 45 words" in page and 'href="#m-a"' in page and '<ins id="m-a">' in page
    assert '<span class="vh">added: </span>' in page
    assert "163 of 163 known words present" in page and "longest addition 45 words" in page
    assert 'id="p-attribution_required"' in page and "clauses the same on both sides" in page
    assert "LIC-ALTERED" in page and "Why am I seeing this?" in page and "open-findings" in page


def test_odd_texts_have_a_page_as_well(ann: Viewer, ada: User) -> None:
    repo, rita = model(ann, "odd", {"README.md": card("mit"), "LICENSE": MIT.encode()}), reviewer("rita")
    for text in (
        b"\0\1\2" * 500,
        b"word " * 110_000,
        b"",
        "nur für Forschung".encode("cp1252"),
        ADDED.encode("utf-16"),
    ):
        put(ada, repo, {"LICENSE": text})
        case = case_of(again(repo))
        assert rita.get(f"/review/{case.pk}?against=llama3.1&file=LICENSE").status_code == 200


def test_nothing_is_released_before_everything_red_is_answered(ann: Viewer) -> None:
    repo = model(ann, "Ledger", {"README.md": card("mit"), "LICENSE": ADDED.encode()})
    case, rita = case_of(repo), reviewer("rita")
    page = decide(rita, case, "approve", concluded="MIT", note_private="My own words.")
    assert "need your answer before this can be released" in page and "My own words." in page
    some = answers(case)
    some.pop(next(key for key in some if key.startswith("finding:")))
    assert "1 thing needs your answer" in decide(rita, case, "approve", concluded="MIT", **some)
    assert case_of(repo).state == State.IN_REVIEW
    user = User.objects.get(username="rita")
    with pytest.raises(NeedsReason, match="need your answer"):
        reviewing.act(Viewer(user=user), case, verb="approve", answer=Answer(concluded="MIT"))
    told = {**answers(case), "check:version-told": "no"}
    assert "Give a condition or a public note" in decide(rita, case, "approve", concluded="MIT", **told)


def test_two_people_approve_what_is_seen_first_and_the_second_does_not_see_the_first(ann: Viewer) -> None:
    repo = model(ann, "Llama-Quay", llama_files())
    case, rita, raul = case_of(repo), reviewer("rita"), reviewer("raul")
    reviewer("one-more")
    secret = {"note_public": "Rita has read it.", "note_private": "Between us."}
    page = decide(rita, case, "approve", concluded=case.concluded, **secret, **answers(case))
    assert "A second person decides" in page and case_of(repo).state == State.SECOND_REVIEW
    assert "You gave the first answer; the second one is another person" in decide(
        rita, case, "approve", concluded=case.concluded, **answers(case)
    )
    unseen = text_of(raul.get(f"/review/{case.pk}"))
    assert "Somebody has answered before you" in unseen and "Rita has read it." not in unseen
    page = decide(raul, case, "approve", concluded=case.concluded, days="30", **answers(case))
    assert "Approved." in page and "Rita has read it." in page and "Between us." in page
    assert case_of(repo).state == State.APPROVED
    assert Repo.objects.get(pk=repo.pk).clearance == "clear"
    assert Notice.objects.filter(user=ann.user, kind="review-decided").exists()
    put(User.objects.get(username="ada"), repo, {"LICENSE": ADDED.encode()})
    assert again(repo).clearance == "held" or again(repo).clearance == "blocked"


def test_nobody_decides_on_their_own_work_unless_nobody_else_may(ann: Viewer, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_reviewer=True)
    repo = model(ann, "Llama-Quay", llama_files())
    case, own = case_of(repo), logged_in(User.objects.get(pk=ada.pk))
    assert "nobody else may review" in text_of(own.get(f"/review/{case.pk}"))
    reviewer("rita")
    assert "somebody else decides on it" in text_of(own.get(f"/review/{case.pk}"))
    page = decide(own, case, "approve", concluded=case.concluded, **answers(case))
    assert "another reviewer decides on it" in page and case_of(repo).state == State.IN_REVIEW


def test_a_rejection_cites_a_term_and_a_request_is_written_from_the_findings(ann: Viewer) -> None:
    repo = model(ann, "Chat-8B", {"README.md": card("llama3.1", base=BASE)})
    case, rita = case_of(repo), reviewer("rita")
    page = text_of(rita.get(f"/review/{case.pk}"))
    assert "Before ada/Chat-8B can be released, this is needed:" in page
    assert "Add a file NOTICE with the line" in page and "DUTY-NOTICE (Llama 3.1" in page
    assert "cites the term it rests on" in decide(rita, case, "reject", note_public="No.")
    key = next(one for one in answers(case) if one.startswith("finding:DUTY-NAME")).partition(":")[2]
    decide(rita, case, "request-changes", message="Please rename it.")
    assert case_of(repo).state == State.NEEDS_INFO
    told = text_of(rita.get("/ada/Chat-8B/license"))
    assert "Please rename it." in told.partition('class="terms')[0]
    # The head of the model, its tab and the desk draw the same seal.
    state = told[told.index('id="state"') :].partition("waits for its owners")[0]
    assert "#s-waiting" in told.partition('class="measures')[2].partition("Llama 3.1")[0]
    assert "#s-waiting" in state and "#s-missing" not in state
    decide(rita, case, "reject", cite=key, note_public="The name is wrong.")
    last = case_of(repo).decisions.last()
    assert last is not None and (last.to_state, last.reasons) == (State.REJECTED, ["DUTY-NAME"])
    assert last.cited == [
        {"license": "llama3.1", "term": "naming_requirement", "passage": last.cited[0]["passage"]}
    ]
    assert "Llama" in last.cited[0]["passage"]


def test_duties_are_shown_with_the_line_that_proves_them(ann: Viewer) -> None:
    case = case_of(model(ann, "Llama-Quay", llama_files("# Quay\n\nBuilt with Llama.\n")))
    page = text_of(reviewer("rita").get(f"/review/{case.pk}"))
    for proof in ("NOTICE:1", "LICENSE:1", "README.md:7"):
        assert f"<code>{proof}</code>" in page, proof
    assert "The name begins with “Llama”" in page and "all " in page


def test_the_same_text_decided_once_is_offered_for_the_rest(ann: Viewer) -> None:
    first, second = (model(ann, f"Llama-{name}", llama_files()) for name in ("Quay", "Tide"))
    case, rita = case_of(first), reviewer("rita")
    page = text_of(rita.get(f"/review/{case.pk}"))
    assert "Also waiting with exactly these texts" in page and "approve it with this one" in page
    page = decide(
        rita, case, "approve", concluded=case.concluded, also=str(case_of(second).pk), **answers(case)
    )
    assert "ada/Llama-Tide was approved with it." in page
    assert case_of(second).state == State.APPROVED
    third = model(ann, "Llama-Reef", llama_files())
    told = words_of(rita.get(f"/review/{case_of(third).pk}"))
    assert "Approved 1 time" in told or "Approved 2 times" in told


def test_a_decision_on_what_has_changed_meanwhile_is_refused(ann: Viewer, ada: User) -> None:
    repo = model(ann, "Llama-Quay", llama_files())
    case, rita = case_of(repo), reviewer("rita")
    put(ada, repo, {"NOTICE": b"Something else.\n"})
    again(repo)
    page = decide(rita, case, "approve", concluded=case.concluded, **answers(case))
    assert "newer revision has taken the place" in page
    assert not access.may_pull(ANONYMOUS, Repo.objects.get(pk=repo.pk)).allowed


def test_a_released_model_is_suspended_and_comes_back(ann: Viewer) -> None:
    repo = model(ann, "plain", {"README.md": card("mit"), "LICENSE": MIT.encode()})
    case, rita = case_of(repo), reviewer("rita")
    assert "Give the reason" in decide(rita, case, "suspend") or case_of(repo).state == State.CLEAR
    decide(rita, case, "suspend", note_public="A complaint came in.")
    assert not access.may_pull(ANONYMOUS, again(repo)).allowed
    decide(rita, case_of(repo), "reinstate", note_public="It was settled.")
    assert access.may_pull(ANONYMOUS, again(repo)).allowed
