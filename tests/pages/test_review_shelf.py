"""Policies, waivers, readings and models elsewhere, in reviewers' hands."""

import pytest

from hub.accounts.identity import ANONYMOUS, Viewer
from hub.accounts.models import User
from hub.audit.models import Entry
from hub.catalog import access
from hub.catalog.models import Repo
from licenses.models import Case, Document, License, PolicyRow, Term, UpstreamModel
from tests.pages.desk_kit import MIT, answers, decide, reviewer
from tests.pages.kit import text_of
from tests.terms.kit import BASE, again, card, case_of, codes, llama_files, model, reviewed_hub

__all__ = ["reviewed_hub"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reviewed_hub")]
NO_LLAMA = {
    "slug": "no-llama-here", "title": "Nothing community here", "action": "block", "scope": "ada/*",
    "when": "categories: [source-available]", "enabled": "on",
}  # fmt: skip


@pytest.fixture
def ann(ada: User) -> Viewer:
    return Viewer(user=ada)


def test_a_policy_is_tried_kept_and_waived(ann: Viewer) -> None:
    repo = model(ann, "plain", {"README.md": card("mit"), "LICENSE": MIT.encode()})
    other = model(ann, "Llama-Quay", llama_files())
    rita = reviewer("rita")
    mit = {**NO_LLAMA, "slug": "no-permissive", "when": "categories: [permissive]"}
    page = text_of(rita.post("/review/policies/new", {**mit, "do": "try"}))
    assert "1 would be stopped" in page and "ada/plain" in page and "ada/Llama-Quay" not in page
    assert not PolicyRow.objects.filter(slug="no-permissive").exists()
    page = text_of(rita.post("/review/policies/new", {**mit, "do": "keep"}, follow=True))
    assert "no-permissive is kept" in page
    assert again(repo).clearance == "blocked" and again(other).clearance == "held"
    case = case_of(repo)
    assert f"?policy=no-permissive&amp;case={case.pk}#waive" in text_of(rita.get(f"/review/{case.pk}"))
    asked = {"case": str(case.pk), "policy": "no-permissive", "days": "30"}
    assert rita.post("/review/waivers", {**asked, "justification": " "}).status_code == 400
    page = text_of(
        rita.post("/review/waivers", {**asked, "justification": "Agreed with Legal."}, follow=True)
    )
    assert "Agreed with Legal." in page
    assert access.may_pull(ANONYMOUS, again(repo)).allowed
    rita.post(
        "/review/waivers",
        {"do": "revoke", "waiver": page.partition('name="waiver" value="')[2].partition('"')[0]},
    )
    assert not access.may_pull(ANONYMOUS, again(repo)).allowed
    rita.post("/review/policies", {"policy": "no-permissive", "do": "off"})
    assert access.may_pull(ANONYMOUS, again(repo)).allowed
    acts = set(Entry.objects.values_list("act", flat=True))
    assert {"policy.changed", "waiver.given", "waiver.revoked"} <= acts


UNREADABLE: list[tuple[dict[str, str], str]] = [
    ({"when": "categories: [nice]"}, "must be one of permissive"),
    ({"when": "categories: permissive"}, "when.categories must be a list of permissive"),
    ({"when": "worst_finding: [block]"}, "when.worst_finding must be one word of block"),
    ({"when": "worst_finding: {a: b}"}, "when.worst_finding holds"),
    ({"when": "colour: blue"}, "when.colour is no fact"),
    ({"when": "categories: ["}, "this is no YAML"),
    ({"when": ""}, "when must name at least one fact"),
    ({"action": "burn"}, "must be one of block, hold, declared, clear"),
    ({"scope": ""}, "scope must be a list of patterns"),
    ({"slug": "No such!"}, "lower-case words with dashes"),
    ({"title": " "}, "title must be a text"),
]


def test_a_policy_that_cannot_be_read_says_which_field_is_wrong() -> None:
    rita = reviewer("rita")
    for changed, said in UNREADABLE:
        answer = rita.post("/review/policies/new", {**NO_LLAMA, **changed, "do": "keep"})
        assert answer.status_code == 400 and said in text_of(answer), said
    assert not PolicyRow.objects.filter(shipped=False).exists()


def test_a_model_elsewhere_is_recorded_once_for_all_that_descend_from_it(ann: Viewer) -> None:
    repo = model(ann, "child", {"README.md": card("mit", base="far/away-7b"), "LICENSE": MIT.encode()})
    assert codes(repo) == ["LIN-UNRESOLVED"]
    rita = reviewer("rita")
    page = text_of(rita.get(f"/review/{case_of(repo).pk}"))
    assert "/review/upstream?pattern=far%2Faway-7b#record" in page
    told = {"pattern": "far/away-*", "license": "mit", "evidence": "Its card, today.", "confidence": "high"}
    unfit = [({"pattern": "*"}, "namespace/name"), ({"evidence": ""}, "evidence is missing"),
             ({"license": "none-such"}, "No licence of"), ({"confidence": "sure"}, "choose one")]  # fmt: skip
    for wrong, said in unfit:
        answer = rita.post("/review/upstream", {**told, **wrong})
        assert answer.status_code == 400 and said in text_of(answer)
    assert "recorded here" in text_of(rita.post("/review/upstream", told, follow=True))
    assert UpstreamModel.objects.filter(pattern="far/away-*", edited=True).exists()
    assert codes(again(repo)) == []


def test_a_reviewer_says_where_a_model_comes_from(ann: Viewer) -> None:
    repo, rita = model(ann, "quiet", {"README.md": card("mit"), "LICENSE": MIT.encode()}), reviewer("rita")
    address = f"/review/{case_of(repo).pk}"
    assert "No ancestor is named" in text_of(rita.get(address))
    assert "relation must be one of" in text_of(
        rita.post(f"{address}/lineage", {"parent": BASE}, follow=True)
    )
    rita.post(f"{address}/lineage", {"parent": BASE, "relation": "finetune"})
    assert "LIN-RELICENSED" in codes(again(repo))
    page = text_of(rita.get(address))
    assert "Evidence: a reviewer." in page and "Take back what was said of it" in page
    rita.post(f"{address}/lineage", {"parent": BASE, "relation": "unrelated"})
    assert codes(again(repo)) == [] and "does not come from it." in text_of(rita.get(address))
    rita.post(f"{address}/lineage", {"parent": BASE, "do": "take-back"})
    assert "No ancestor is named" in text_of(rita.get(address))


def test_a_term_is_answered_with_its_passage_and_taken_back() -> None:
    rita, mit = reviewer("rita"), License.objects.get(slug="mit")
    page = text_of(rita.get("/licenses/mit/edit?term=patent_grant"))
    assert "Permission is hereby granted" in page and "A patent grant" in page
    told = {"do": "term", "term": "patent_grant", "value": "no", "note": "silent", "passage": ""}
    assert "quote the words" in text_of(rita.post("/licenses/mit/edit", told))
    rita.post("/licenses/mit/edit", {**told, "passage": "to deal in the Software"})
    row = Term.objects.get(license=mit, key="patent_grant")
    assert (row.value, row.verified_by and row.verified_by.username, row.edited) == ("no", "rita", True)
    assert "verified by rita" in text_of(rita.get("/licenses/mit/edit?term=patent_grant"))
    rita.post("/licenses/mit/edit", {"do": "take-back", "term": "patent_grant"})
    assert not Term.objects.filter(license=mit, key="patent_grant", edited=True).exists()
    sizes = {"do": "thresholds", "metric": "revenue", "amount": "20,000,000", "currency": "usd", "window": "year",
             "scope": "", "effect": "display"}  # fmt: skip
    assert "must be a whole number" in text_of(rita.post("/licenses/mit/edit", {**sizes, "amount": "many"}))
    rita.post("/licenses/mit/edit", sizes)
    assert mit.thresholds.values_list("value", "currency").get() == (20_000_000, "USD")
    rita.post("/licenses/mit/edit", {"do": "aliases", "names": "mit-x\nMIT-X11\nmit-x"})
    assert sorted(mit.aliases.values_list("name", flat=True)) == ["MIT-X11", "mit-x"]
    assert Entry.objects.filter(act="license.changed").count() == 4


def test_terms_that_nobody_knows_are_taken_into_the_catalogue_and_released(ann: Viewer) -> None:
    text = b"Quay terms.\n\nYou may use this model for any purpose, and hand it on. No patents are granted to anyone.\n"
    head = card("other", more="license_name: quay-1.0\nlicense_link: LICENSE")
    repo, rita = model(ann, "own", {"README.md": head, "LICENSE": text}), reviewer("rita")
    assert case_of(repo).state == Case.State.BLOCKED
    told = {"slug": "quay-1.0", "name": "Quay Terms", "category": "source-available"}
    unfit = [({"slug": "Quay!"}, "lower-case letters"), ({"name": " "}, "needs a name"),
             ({"category": "nice"}, "must be one of"), ({"slug": "mit"}, "in the catalogue already")]  # fmt: skip
    for wrong, said in unfit:
        answer = rita.post("/review/licenses/new", {**told, **wrong})
        assert answer.status_code == 400 and said in text_of(answer)
    assert "Answer its terms now" in text_of(rita.post("/review/licenses/new", told, follow=True))
    for term in ("redistribution", "commercial_use", "modification"):
        rita.post(
            "/licenses/quay-1.0/edit", {"do": "term", "term": term, "value": "yes", "passage": "any purpose"}
        )
    address = f"/review/{case_of(repo).pk}/text"
    rita.post(address, {"file": "LICENSE", "license": "quay-1.0", "kind": "license", "read": "on"})
    case = case_of(again(repo))
    assert (case.state, case.licenses, case.first_seen) == (Case.State.IN_REVIEW, ["quay-1.0"], True)
    decide(rita, case, "approve", concluded="LicenseRef-quay-1.0", **answers(case))
    assert access.may_pull(ANONYMOUS, again(repo)).allowed


def test_an_uploaded_text_becomes_a_canonical_one(ann: Viewer) -> None:
    text = "Quay terms. You may use this model for any purpose whatsoever, and hand it on with these words.\n"
    repo = model(ann, "quay", {"README.md": card("cc0-1.0"), "LICENSE": text.encode()})
    case, rita = case_of(repo), reviewer("rita")
    assert case.state == Case.State.IN_REVIEW
    address = f"/review/{case.pk}/text"
    assert "Quay terms." in text_of(rita.get(f"{address}?file=LICENSE"))
    assert rita.get(f"{address}?file=config.json").status_code == 404
    told = {"file": "LICENSE", "license": "cc0-1.0", "kind": "license", "version": "quay"}
    assert "have read the whole text" in text_of(rita.post(address, told))
    rita.post(address, {**told, "read": "on"})
    kept = Document.objects.get(license__slug="cc0-1.0", version="quay")
    assert kept.confirmed_by == User.objects.get(username="rita") and kept.source == "ada/quay: LICENSE"
    assert Repo.objects.get(pk=again(repo).pk).clearance == "clear"
