"""What lies beside main: branches, earlier revisions and proposals are held to what was reviewed, on every way."""

import pytest

from hub.accounts.identity import ANONYMOUS
from hub.audit.models import Entry
from hub.catalog import (
    archives,
    consents,
    duplicates,
    lineage_edits,
    pulls,
    pushes,
    refs,
    shelfkeeping,
    suspending,
)
from hub.catalog.desk import desk_of
from hub.catalog.errors import BytesMissing, TermsHeld
from hub.catalog.models import Repo
from hub.catalog.names import FilePath, RepoName
from hub.catalog.operations import AddFile, AddLarge
from hub.catalog.panel import panel_of
from hub.catalog.repos import move_repo
from hub.catalog.revision_sets import bears_on_terms, license_section
from licenses.errors import NotYours
from tests.factories import at, commit_all, make_repo, make_viewer, push, send, work
from tests.licenses.known import text_of
from tests.terms.kit import BASE, again, approve, card, case_of, llama_files, model, reviewed_hub
from tests.terms.test_gate import WEIGHTS, released, reviewer, word

__all__ = ["reviewed_hub"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reviewed_hub")]
MIT = {"README.md": card("mit"), "LICENSE": text_of("mit").encode()}
MODEL = FilePath.parse("model.safetensors")


def test_a_file_of_a_held_branch_is_had_in_no_other_way_and_copied_nowhere() -> None:
    owner, ann = make_viewer(), make_viewer()
    repo = model(owner, "plain", MIT)
    refs.create_branch(owner, repo, branch="other")
    sha256 = send(owner, repo, WEIGHTS)
    work()
    large, terms = (
        AddLarge(MODEL, sha256, len(WEIGHTS)),
        AddFile(FilePath.parse("README.md"), card("cc-by-nc-4.0")),
    )
    commit_all(owner, repo, [large, terms], revision="other")
    repo = again(repo)
    assert repo.clearance == "clear"
    with pytest.raises(TermsHeld, match="This revision"):
        pulls.open_file(ann, at(repo, "other"), "model.safetensors")
    assert pulls.held(ann, repo, [sha256]) == pulls.held(ANONYMOUS, repo, [sha256]) == {}
    assert pulls.held(owner, repo, [sha256]) == {sha256: len(WEIGHTS)}
    mine = make_repo(ann)
    assert pushes.copy_files(ann, repo, mine, [sha256]) == [sha256]
    with pytest.raises(BytesMissing):
        commit_all(ann, mine, [large])
    assert ann.user
    twin = duplicates.duplicate(ann, repo, to=RepoName.for_new("model", ann.user.username, "twin"))
    assert [ref.name for ref in twin.refs.all()] == ["refs/heads/main"]
    assert not twin.blobs.exists()
    commit_all(ann, repo, [large], create_pr=True)
    assert pulls.held(make_viewer(), repo, [sha256]) == {}


def test_what_a_guest_proposes_is_handed_to_others_when_it_has_landed() -> None:
    owner, guest, ann = make_viewer(), make_viewer(), make_viewer()
    repo = model(owner, "plain", MIT)
    sha256 = send(guest, repo, WEIGHTS)
    work()
    large = AddLarge(MODEL, sha256, len(WEIGHTS))
    commit_all(guest, repo, [large], create_pr=True)
    repo = again(repo)
    with pytest.raises(TermsHeld, match="no revision that was reviewed"):
        pulls.open_file(ann, at(repo, "refs/pr/1"), "model.safetensors")
    with pytest.raises(TermsHeld):
        archives.open_folder(ANONYMOUS, at(repo, "refs/pr/1"), "")
    assert pulls.open_file(guest, at(repo, "refs/pr/1"), "model.safetensors")
    assert pulls.open_file(ann, at(repo, "refs/pr/1"), "README.md")
    commit_all(owner, repo, [large])
    repo = again(repo)
    assert pulls.held(ann, repo, [sha256]) == {sha256: len(WEIGHTS)}


def test_an_earlier_revision_asks_for_its_own_terms_and_falls_with_its_license() -> None:
    owner, ann, ben, rita = make_viewer(), make_viewer(), make_viewer(), reviewer()
    repo, sha256 = released(owner)
    earlier = repo.head
    consents.accept(ben, repo, word(ben, repo))
    push(owner, repo, MIT | {"NOTICE": None, "model.bin": None})
    repo = approve(rita, again(repo))
    assert (repo.clearance, repo.consent) == ("clear", "")
    with pytest.raises(TermsHeld, match="This revision"):
        pulls.open_file(ann, at(repo, earlier), "model.bin")
    assert pulls.held(ann, repo, [sha256]) == {}
    assert pulls.open_file(ben, at(repo, earlier), "model.bin")
    suspending.suspend(rita, kind="license", key="llama3.1", reason="A notice came in.")
    assert Repo.objects.get(pk=repo.pk).clearance == "clear"
    with pytest.raises(TermsHeld):
        pulls.open_file(ben, at(repo, earlier), "model.bin")


def test_naming_a_private_model_does_not_tell_whether_it_is_there() -> None:
    victim, other = make_viewer("victim"), make_viewer()
    model(victim, "secret", llama_files(), private=True)
    apache = text_of("apache-2.0").encode()
    told = []
    for name in ("secret", "nothing"):
        repo = model(
            other, f"of-{name}", {"README.md": card("apache-2.0", base=f"victim/{name}"), "LICENSE": apache}
        )
        panel = panel_of(other, repo)
        told.append(str([panel.findings, panel.graph["nodes"][1:], repo.clearance]).replace(name, "*"))
    assert told[0] == told[1]
    child = model(victim, "child", {"README.md": card("apache-2.0", base="victim/secret"), "LICENSE": apache})
    assert "llama3.1" in case_of(child).licenses
    assert "victim/secret" in str(case_of(child).findings)
    assert "victim/secret" not in desk_of(case_of(child), child, ()).request()


def test_a_reviewer_neither_waives_nor_denies_what_holds_their_own_work() -> None:
    rita = reviewer()
    files = {"README.md": card("apache-2.0", base=BASE), "LICENSE": text_of("apache-2.0").encode()}
    repo = model(rita, "mine", files)
    lineage_edits.set_parent(rita, repo, parent="acme/other", relation="finetune")
    other = reviewer()
    with pytest.raises(NotYours):
        lineage_edits.set_parent(rita, repo, parent=BASE, relation="unrelated")
    with pytest.raises(NotYours):
        lineage_edits.drop_parent(rita, repo, parent="acme/other")
    with pytest.raises(NotYours):
        shelfkeeping.waive(rita, policy="open-findings", case=case_of(repo), justification="Mine.", days=3)
    row = suspending.suspend(other, kind="subject", key=str(repo.pk), reason="A notice came in.")
    with pytest.raises(NotYours):
        suspending.lift(rita, row, reason="Mine.")
    lineage_edits.drop_parent(other, repo, parent="acme/other")
    suspending.lift(other, row, reason="Settled.")


def test_terms_are_read_by_whatever_usual_name_they_have() -> None:
    for name in (
        "MODEL_LICENSE",
        "Gemma-License.txt",
        "Llama-3.1-LICENSE.md",
        "EULA.txt",
        "docs/legal.md",
        "RAIL.md",
    ):
        assert bears_on_terms(name), name
    for name in (
        "trailer.md",
        "illegal.txt",
        "my_license_check.py",
        "a/b/LICENSE",
        "driver_license.png",
        "model.safetensors",
    ):
        assert not bears_on_terms(name), name


def test_the_section_on_a_license_ends_at_the_next_heading_as_high() -> None:
    text = "# A\n## License\none\n### More\ntwo\n## Use\nthree\n# Licence again\nfour\n"
    assert license_section(text) == "## License\none\n### More\ntwo\n\n# Licence again\nfour\n"
    assert len(license_section("# license\n" * 100_000).splitlines()) == 2 * 100_000 - 1


def test_a_new_name_holds_a_repo_until_it_is_read_and_the_log_says_so() -> None:
    owner, ann = make_viewer("owner"), make_viewer()
    repo = model(owner, "plain", MIT)
    move_repo(owner, repo, to=RepoName.for_new("model", "owner", "Llama-Plain"))
    with pytest.raises(TermsHeld):
        pulls.open_file(ann, at(repo), "README.md")
    told = (
        Entry.objects.filter(subject=str(repo.pk), act="clearance")
        .order_by("-seq")
        .values_list("actor", "data")
    )
    assert [(actor, data["clearance"]) for actor, data in told[:1]] == [("rename", "scanning")]
    assert again(repo).clearance == "clear"
