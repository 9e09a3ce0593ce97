"""What reading the terms of a pushed model comes to."""

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from hub.accounts.identity import ANONYMOUS
from hub.catalog import access, clearances, demo
from hub.catalog.models import LineageEdge, Repo
from hub.catalog.names import RepoName
from hub.catalog.repos import change_settings, delete_repo, move_repo
from licenses.edits import confirm_text
from licenses.models import Case, License
from tests.factories import make_repo, make_viewer, push, work
from tests.licenses.known import text_of
from tests.terms.kit import BASE, again, card, case_of, codes, llama_files, model, reviewed_hub

__all__ = ["reviewed_hub"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reviewed_hub")]
State = Case.State


def test_a_permissive_model_with_its_text_is_clear_and_one_without_is_cleared_as_declared() -> None:
    ann = make_viewer()
    agreed = model(
        ann, "agreed", {"README.md": card("apache-2.0"), "LICENSE": text_of("apache-2.0").encode()}
    )
    assert (agreed.clearance, case_of(agreed).state, agreed.concluded) == (
        "clear",
        State.CLEAR,
        ["apache-2.0"],
    )
    assert "commercial" in agreed.uses
    declared = model(ann, "declared", {"README.md": card("mit")})
    assert (declared.clearance, case_of(declared).policies[0]["id"]) == ("declared", "permissive-declared")
    for repo in (agreed, declared):
        assert access.may_pull(ANONYMOUS, repo).allowed


def test_a_permissive_base_that_the_card_names_the_license_of_asks_for_nothing_more() -> None:
    ann = make_viewer()
    tuned = model(
        ann, "tuned", {"README.md": card("apache-2.0", base="sentence-transformers/all-MiniLM-L6-v2")}
    )
    assert (tuned.clearance, codes(tuned), "DUTY-NOTICE" in codes(tuned, "warn")) == ("declared", [], True)
    config = b'{"_name_or_path": "nreimers/MiniLM-L6-H384-uncased"}'
    other = model(ann, "other", {"README.md": card("apache-2.0"), "config.json": config})
    assert (other.clearance, codes(other)) == ("held", ["DUTY-NOTICE"])


def test_a_llama_finetune_labelled_apache_is_blocked_with_its_findings() -> None:
    ann = make_viewer()
    repo = model(ann, "SuperChat-8B", {"README.md": card("apache-2.0", base=BASE)})
    assert (repo.clearance, case_of(repo).state) == ("blocked", State.BLOCKED)
    assert codes(repo, "block") == ["LIN-RELICENSED"]
    assert codes(repo, "fix") == ["DUTY-ATTRIB", "DUTY-NAME", "DUTY-NOTICE", "DUTY-TEXT"]
    assert access.may_pull(ANONYMOUS, repo).reason == "held"
    assert access.may_pull(ann, repo).allowed
    edge = LineageEdge.objects.get(repo=repo)
    assert (edge.parent, edge.name, edge.relation, edge.source) == (BASE.lower(), BASE, "finetune", "card")


def test_a_llama_finetune_with_everything_in_place_waits_for_people_and_asks_for_consent() -> None:
    repo = model(make_viewer(), "Llama-SuperChat", llama_files())
    assert (repo.clearance, case_of(repo).state, codes(repo)) == ("held", State.IN_REVIEW, [])
    assert (repo.users_limit, repo.consent != "", case_of(repo).first_seen) == (700_000_000, True, True)
    assert [one["kind"] for one in case_of(repo).consent] == ["license", "use-policy"] or case_of(
        repo
    ).consent


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"README.md": card("")}, ["LIC-MISSING"]),
        ({"README.md": card("other")}, ["LIC-AMBIGUOUS", "LIC-MISSING"]),
        ({"README.md": card("[apache-2.0, mit]")}, ["LIC-AMBIGUOUS"]),
        ({"README.md": card("mit"), "LICENSE": text_of("apache-2.0").encode()}, ["LIC-MISMATCH"]),
        ({"README.md": card("mit"), "LICENSE": b"\0\1\2" * 999}, ["LIC-AMBIGUOUS"]),
        ({"README.md": card("mit"), "LICENSE": b"a word " * 100_000}, ["LIC-AMBIGUOUS"]),
        ({"README.md": card("mit"), "LICENSE": "nur f\xfcr Forschung".encode("cp1252")}, ["LIC-AMBIGUOUS"]),
        ({"README.md": card("mit"), "docs/TERMS.md": b"Not for the military."}, ["LIC-AMBIGUOUS"]),
        ({"README.md": card("mit", base="nobody/knows-this")}, ["LIN-UNRESOLVED"]),
        ({"README.md": card("mit", base="../../etc")}, ["LIN-UNRESOLVED"]),
    ],
)
def test_what_cannot_be_told_for_sure_holds(files: dict[str, bytes], wanted: list[str]) -> None:
    repo = model(make_viewer(), "odd", files)
    assert not access.may_pull(ANONYMOUS, repo).allowed
    assert set(codes(repo)) == set(wanted)


def test_an_added_clause_is_shown_and_never_cleared() -> None:
    text = text_of("mit") + "\nNo company with more than 100 employees may use the Software.\n"
    repo = model(make_viewer(), "added", {"README.md": card("mit"), "LICENSE": text.encode()})
    assert (repo.clearance, codes(repo)) == ("held", ["LIC-ALTERED"])
    found = case_of(repo).detected[0]
    assert (found["status"], "100 employees" in found["residue"][0]["words"]) == ("added", True)


def test_a_model_is_held_from_the_commit_that_changes_its_terms_and_not_by_other_commits() -> None:
    ann = make_viewer()
    repo = model(ann, "plain", {"README.md": card("mit"), "LICENSE": text_of("mit").encode()})
    push(ann, repo, {"notes.txt": b"hello"})
    assert Repo.objects.get(pk=repo.pk).clearance == "clear"
    assert again(repo).clearance == "clear"
    assert Case.objects.filter(subject=str(repo.pk)).count() == 1
    push(ann, repo, {"LICENSE": text_of("apache-2.0").encode()})
    assert Repo.objects.get(pk=repo.pk).clearance == "scanning"
    assert not access.may_pull(ANONYMOUS, Repo.objects.get(pk=repo.pk)).allowed
    assert (again(repo).clearance, codes(repo)) == ("held", ["LIC-MISMATCH"])
    push(ann, repo, {"LICENSE": text_of("mit").encode()})
    assert again(repo).clearance == "clear"
    assert Case.objects.filter(subject=str(repo.pk)).count() == 2


def test_bases_that_point_in_a_circle_hold_and_end() -> None:
    ann = make_viewer("ann")
    one = model(ann, "one", {"README.md": card("mit", base="ann/two")})
    two = model(ann, "two", {"README.md": card("mit", base="ann/one")})
    for repo in (one, two):
        assert (again(repo).clearance, "LIN-UNRESOLVED" in codes(repo)) == ("blocked", True)
    itself = model(ann, "itself", {"README.md": card("mit", base="ann/itself")})
    assert itself.clearance == "blocked"


def test_what_descends_from_a_model_here_follows_its_fate() -> None:
    ann, ben = make_viewer("ann"), make_viewer("ben")
    base = model(ann, "base", {"README.md": card("mit"), "LICENSE": text_of("mit").encode()})
    files = {
        "README.md": card("apache-2.0", base="ann/base", body="Fine-tuned."),
        "LICENSE": text_of("apache-2.0").encode(), "licenses/MIT.txt": text_of("mit").encode(),
    }  # fmt: skip
    tuned = model(ben, "tuned", files)
    assert (tuned.clearance, codes(tuned)) in [("clear", []), ("held", ["LIC-MISMATCH"])]
    push(ann, base, {"README.md": card("cc-by-nc-4.0")})
    assert again(base).clearance == "held"
    tuned = again(tuned)
    assert tuned.clearance in ("held", "blocked")
    assert {"LIN-UNRESOLVED", "LIN-RELICENSED"} <= set(codes(tuned))


def test_what_waits_for_a_text_is_read_again_when_the_text_comes() -> None:
    text = "You may do as you please with this model, provided that you tell us about it.\n" * 3
    files = {"README.md": card("mit"), "LICENSE": text.encode()}
    repo = model(make_viewer(), "early", files)
    assert (repo.clearance, codes(repo)) == ("held", ["LIC-AMBIGUOUS"])
    asked = Repo.objects.get(pk=repo.pk).scans_asked
    clearances.ask_missing()
    assert Repo.objects.get(pk=repo.pk).scans_asked == asked
    staff, mit = make_viewer(staff=True).user, License.objects.get(slug="mit")
    assert staff
    confirm_text(of=mit, kind="license", version="", text=text, source="upload", by=staff, at=timezone.now())
    clearances.ask_missing()
    assert again(repo).clearance == "clear"


def test_the_demo_is_cleared() -> None:
    repo = demo.seed(make_viewer(staff=True), "model", "tiny-llama", demo.tiny_model())
    assert repo
    assert again(repo).clearance == "declared"


def test_data_sets_are_read_and_never_held() -> None:
    ann = make_viewer()
    repo = make_repo(ann, type_="dataset")
    push(ann, repo, {"README.md": card("other")})
    repo = again(repo)
    assert (repo.clearance, access.may_pull(ANONYMOUS, repo).allowed) == ("declared", True)


def test_a_renamed_model_is_read_under_its_new_name() -> None:
    ann = make_viewer("ann")
    repo = model(ann, "SuperChat", llama_files())
    assert codes(repo) == ["DUTY-NAME"]
    move_repo(ann, repo, to=RepoName.parse("model", "ann/Llama-SuperChat"))
    assert codes(again(repo)) == []
    assert case_of(repo).label == "ann/Llama-SuperChat"


def test_a_repo_that_was_never_read_is_found_and_a_deleted_one_leaves_the_queue() -> None:
    ann = make_viewer()
    repo = model(ann, "old", {"README.md": card("mit")})
    Repo.objects.filter(pk=repo.pk).update(scans_asked=0, scans_done=0, clearance="scanning")
    assert clearances.ask_missing() == 1
    assert again(repo).clearance == "declared"
    delete_repo(ann, repo)
    assert not Case.objects.filter(subject=str(repo.pk), current=True).exists()


def test_in_a_hub_that_does_not_review_nothing_is_read_until_it_does(settings: Settings) -> None:
    settings.HUB_REVIEW = "off"
    ann = make_viewer()
    repo = model(ann, "quiet", {"README.md": card("other")})
    assert (repo.clearance, access.may_pull(ANONYMOUS, repo).allowed, Case.objects.count()) == (
        "scanning",
        True,
        0,
    )
    settings.HUB_REVIEW = "advisory"
    assert clearances.ask_missing() == 1
    repo = again(repo)
    assert (repo.clearance, access.may_pull(ANONYMOUS, repo).allowed) == ("blocked", True)
    settings.HUB_REVIEW = "enforced"
    assert not access.may_pull(ANONYMOUS, repo).allowed
    work()
    change_settings(ann, repo, private=True)
