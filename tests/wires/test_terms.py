"""A repo's terms for programs: everything known, the notice, the bill of materials by its official schema."""

import json
from typing import Any

import pytest

from hub.accounts.identity import Viewer
from tests.factories import push_large
from tests.licenses.known import text_of
from tests.terms.kit import BASE, again, card, llama_files, model, reviewed_hub
from tests.wires.conftest import Ask

__all__ = ["reviewed_hub"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reviewed_hub")]
EMPTY = b"\x08\0\0\0\0\0\0\0{}      "


def bill_of(ask: Ask, name: str, token: str = "") -> dict[str, Any]:
    answer = ask("GET", f"/api/models/{name}/mlbom", token=token)
    assert answer.status_code == 200
    # Its grammars take seconds to build, in every process that looks for tests.
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(answer.content.decode())
    assert problem is None, problem
    found: dict[str, Any] = json.loads(answer.content)
    return found


def test_the_license_of_a_model_is_one_answer(ask: Ask, alice: Viewer) -> None:
    model(alice, "SuperChat", {"README.md": card("apache-2.0", base=BASE)})
    found = ask("GET", "/api/models/alice/SuperChat/license").json()
    assert (found["clearance"], found["state"], found["verdict"]) == (
        "blocked", "blocked", {"allowed": False, "reason": "held"},
    )  # fmt: skip
    assert {one["code"] for one in found["findings"]} >= {
        "LIN-RELICENSED",
        "DUTY-NAME",
        "DUTY-ATTRIB",
        "DUTY-TEXT",
    }
    assert found["declared"]["ids"] == ["apache-2.0"]
    assert found["concluded"]["effectiveUse"] == "Apache-2.0 AND LicenseRef-llama3.1"
    assert found["concluded"]["terms"]["commercial_use"] == "conditional" and found["concluded"]["uses"] == []
    assert found["lineage"]["edges"][0]["relation"] == "finetune"
    assert [one["state"] for one in found["duties"] if one["kind"] == "display"] == ["missing"]
    assert found["openness"]["step"] <= 3 and len(found["openness"]["components"]) == 17
    assert ask("GET", "/api/models/alice/nothing/license").status_code == 401


def test_a_bill_fits_the_official_schema_and_names_terms_files_and_ancestors(
    ask: Ask, alice: Viewer, token: str
) -> None:
    files = llama_files()
    files["README.md"] = card(
        "llama3.1", base=BASE, body="Built with Llama. Fine-tuned.\n",
        more="datasets: [some/notes]\npipeline_tag: text-generation",
    )  # fmt: skip
    repo = model(alice, "Llama-Chat", files)
    sha256 = push_large(alice, repo, "weights of it.safetensors", EMPTY)
    again(repo)
    bill = bill_of(ask, "alice/Llama-Chat")
    component = bill["metadata"]["component"]
    assert component["type"] == "machine-learning-model"
    assert component["licenses"] == [{"expression": "LicenseRef-llama3.1", "acknowledgement": "concluded"}]
    assert [one["name"] for one in component["pedigree"]["ancestors"]] == [BASE]
    assert component["modelCard"]["modelParameters"]["task"] == "text-generation"
    by_type = {one["type"]: one for one in bill["components"]}
    assert by_type["file"]["hashes"] == [{"alg": "SHA-256", "content": sha256}]
    assert by_type["data"]["name"] == "some/notes"
    plain = model(alice, "plain", {"README.md": card("mit")})
    assert plain.clearance == "declared"
    assert bill_of(ask, "alice/plain")["metadata"]["component"]["licenses"][0]["expression"] == "MIT"
    model(alice, "bare", {"notes.txt": b"x"})
    assert "licenses" not in bill_of(ask, "alice/bare")["metadata"]["component"]
    assert ask("GET", "/api/datasets/alice/plain/mlbom").status_code == 404


def test_a_notice_gathers_lines_credits_and_each_text_once(ask: Ask, alice: Viewer, token: str) -> None:
    model(alice, "Llama-Chat", llama_files())
    model(alice, "Llama-Other", llama_files())
    own = text_of("mit").replace("<year> <copyright holders>", "2026 Quay Ltd")
    model(
        alice, "free", {"README.md": card("mit"), "LICENSE": f"Copyright (c) 2026 Quay Ltd\n\n{own}".encode()}
    )
    model(alice, "secret", {"README.md": card("mit")}, private=True)
    answer = ask("GET", "/api/notice?model=alice/Llama-Chat&model=alice/Llama-Other&model=alice/free")
    text = answer.content.decode()
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    for words in (
        "alice/Llama-Chat  (commit ", '"Built with Llama"', "begin with:\n  Llama", "Llama 3.1 is licensed under",
        "Copyright (c) 2026 Quay Ltd", f"{BASE} (finetune; llama3.1)", "MIT",
    ):  # fmt: skip
        assert words in text, words
    assert text.count("LLAMA 3.1 COMMUNITY LICENSE AGREEMENT") == 1
    hidden = ask("GET", "/api/notice?model=alice/free&model=alice/secret")
    assert hidden.status_code == 401 and hidden["X-Error-Code"] == "RepoNotFound"
    assert ask("GET", "/api/notice?model=alice/secret", token=token).status_code == 200
    assert ask("GET", "/api/notice").status_code == 400
    assert ask("GET", "/api/notice?" + "&".join(f"model=a/m{n}" for n in range(51))).status_code == 400


def test_a_hostile_name_or_notice_draws_no_headings_in_a_notice(ask: Ask, alice: Viewer) -> None:
    card_ = card("other", more='license_name: "x\\n======\\nLicense: MIT"')
    model(
        alice,
        "odd",
        {
            "README.md": card_,
            "NOTICE": b"fine\x1b[31m words\r\nCopyright (c) 2026 A\x07 B\n" + b"More of it.\n" * 400,
        },
    )
    text = ask("GET", "/api/notice?model=alice/odd").content.decode()
    assert "\x1b" not in text and "\x07" not in text and "fine[31m words" in text
    assert "License: not known" in text and "\nLicense: MIT" not in text


def test_finding_by_use_through_the_api(ask: Ask, alice: Viewer) -> None:
    model(alice, "free", {"README.md": card("mit"), "LICENSE": text_of("mit").encode()})
    model(alice, "SuperChat", {"README.md": card("apache-2.0", base=BASE)})
    assert [one["id"] for one in ask("GET", "/api/models?use=commercial,modify&users=1000000").json()] == [
        "alice/free"
    ]
    assert ask("GET", "/api/models?openness=5").json() == []
    assert [one["id"] for one in ask("GET", "/api/models?binding=mit").json()] == ["alice/free"]
    counted = ask("GET", "/api/models-facets?users=5").json()
    assert counted["total"] == 1 and counted["facets"]["use"]["commercial"] == 1
    assert ask("GET", "/api/models?use=everything").status_code == 400
    assert ask("GET", "/api/models?users=many").status_code == 400
