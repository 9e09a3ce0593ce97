"""What reviewers change in the catalogue, over the API."""

import pytest

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from licenses.models import Document, License, Term
from tests.factories import make_user, with_token
from tests.terms.kit import again, card, case_of, codes, model, reviewed_hub
from tests.wires.conftest import Ask

__all__ = ["reviewed_hub"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reviewed_hub")]


def test_reviewers_add_a_license_answer_its_terms_and_keep_its_text(
    ask: Ask, alice: Viewer, token: str
) -> None:
    rita = make_user("rita")
    User.objects.filter(pk=rita.pk).update(is_reviewer=True)
    _, secret = with_token(User.objects.get(pk=rita.pk))
    new = {"id": "quay-1.0", "name": "Quay Terms", "category": "source-available"}
    assert ask("POST", "/api/licenses", new, token=token).status_code == 403
    assert ask("POST", "/api/licenses", {**new, "id": "No!"}, token=secret).status_code == 400
    assert ask("POST", "/api/licenses", new, token=secret).status_code == 201
    assert "already" in ask("POST", "/api/licenses", new, token=secret).json()["error"]
    term = "/api/licenses/quay-1.0/terms/commercial_use"
    assert "quote the words" in ask("PUT", term, {"value": "yes"}, token=secret).json()["error"]
    answer = ask("PUT", term, {"value": "yes", "passage": "any purpose"}, token=secret)
    assert answer.json()["value"] == "yes"
    odd = ask("PUT", "/api/licenses/mit/terms/colour", {"value": "no", "passage": "x"}, token=secret)
    assert "no term" in odd.json()["error"]
    size = {
        "metric": "revenue",
        "value": 20_000_000,
        "currency": "USD",
        "window": "year",
        "effect": "display",
    }
    assert (
        ask("PUT", "/api/licenses/quay-1.0/thresholds", {"thresholds": [size]}, token=secret).status_code
        == 200
    )
    named = ask("PUT", "/api/licenses/quay-1.0/names", {"names": ["quay", "quay"]}, token=secret)
    assert named.json() == {"names": ["quay"]}
    row = License.objects.get(slug="quay-1.0")
    assert row.thresholds.get().value == 20_000_000 and row.aliases.get().name == "quay"
    files = {"README.md": card("mit", base="far/away"), "LICENSE": b"Quay terms: use it for any purpose."}
    repo = model(alice, "own", files)
    told = {"case": str(case_of(repo).pk), "file": "LICENSE", "kind": "license"}
    assert ask("POST", "/api/licenses/quay-1.0/texts", {**told, "file": "x"}, token=secret).status_code == 404
    kept = ask("POST", "/api/licenses/quay-1.0/texts", told, token=secret)
    assert Document.objects.get(sha256=kept.json()["sha256"]).confirmed_by == rita
    above = {"pattern": "far/away", "license": "mit", "evidence": "Its card.", "confidence": "high"}
    assert "LIN-UNRESOLVED" in codes(again(repo))
    assert ask("POST", "/api/upstream-models", {**above, "pattern": "*"}, token=secret).status_code == 400
    assert ask("POST", "/api/upstream-models", above, token=secret).status_code == 201
    assert ask("GET", "/api/upstream-models?search=far/", token=secret).json()[0]["license"] == "mit"
    assert "LIN-UNRESOLVED" not in codes(again(repo))
    assert ask("DELETE", term, token=secret).status_code == 200
    assert not Term.objects.filter(license=row, key="commercial_use").exists()
