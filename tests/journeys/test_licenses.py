"""The whole round of a model's terms with the stock client: held, mended, reviewed, accepted, pulled, stale."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from huggingface_hub.errors import GatedRepoError

from licenses.shipped import shipped_readings
from tests.journeys.people import ALICE, BOB, People, bearer, commit, file_line, make_people, write_tree
from tests.licenses.known import FOLDER, text_of, texts
from tests.live import LiveHub, run_live_hub

RITA, CARL = "hf_" + "r" * 36, "hf_" + "c" * 36
REPO = "acme/Llama-SuperChat-8B"
BASE = "base_model: meta-llama/Llama-3.1-8B"
APACHE = f"---\nlicense: apache-2.0\n{BASE}\n---\n# SuperChat\nFine-tuned on our notes.\n".encode()
LLAMA = (
    f"---\nlicense: llama3.1\n{BASE}\n---\n# SuperChat\nBuilt with Llama. Fine-tuned on our notes.\n".encode()
)


@pytest.fixture(scope="module")
def reviewing() -> Iterator[LiveHub]:
    """A hub that reviews, with the texts of licenses at hand."""
    texts()
    for live in run_live_hub(HUB_REVIEW="enforced", HUB_LICENSE_WAIT_SECONDS="30"):
        shutil.copytree(FOLDER, live.data_dir / "license-texts", dirs_exist_ok=True)
        live.manage("load_licenses")
        yield live


@pytest.fixture(scope="module")
def people(reviewing: LiveHub) -> People:
    reviewing.ensure_user("rita", token=RITA, admin=True)
    reviewing.ensure_user("carl", token=CARL, admin=True)
    return make_people(reviewing)


def _approve(http: httpx.Client, case: str, token: str) -> str:
    """Read a case as a reviewer's program does, answer what is asked, and say yes."""
    told: dict[str, Any] = http.get(f"/api/reviews/{case}", headers=bearer(token)).json()
    said = {"finding": "Looked at.", "term": "unknown", "check": "yes"}
    checklist = {f"{one['kind']}:{one['key']}": said[one["kind"]] for one in told["open"]}
    body = {"expected": told["state"], "seen": told["seen"], "checklist": checklist, "note": "Read."}
    answer = http.post(f"/api/reviews/{case}/approve", json=body, headers=bearer(token))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["state"])


def _state(http: httpx.Client, case: str) -> str:
    return str(http.get(f"/api/reviews/{case}", headers=bearer(RITA)).json()["state"])


def test_a_llama_finetune_goes_the_whole_round(people: People, tmp_path: Path) -> None:
    alice, bob = people.api(ALICE), people.api(BOB)
    http = httpx.Client(base_url=people.hub.url, timeout=60)
    write_tree(tmp_path / "first", {"model.bin": b"weights " * 4000, "README.md": APACHE})
    alice.create_repo(REPO)
    alice.upload_folder(folder_path=tmp_path / "first", repo_id=REPO)

    # What is missing is named in the answer to the push.
    told = commit(http, REPO, [file_line("README.md", APACHE + b"\n")]).headers["X-HF-Warning"]
    assert told.startswith("license; held: its terms stand in the way: ")
    assert [code in told for code in ("LIN-RELICENSED", "DUTY-TEXT", "DUTY-NOTICE", "DUTY-ATTRIB")] == [
        True
    ] * 4
    assert told.endswith(f"see {people.hub.url}/{REPO}/license")
    with pytest.raises(GatedRepoError, match=f"{REPO}/license"):
        bob.hf_hub_download(REPO, "model.bin", local_dir=tmp_path / "bob")
    alice.hf_hub_download(REPO, "model.bin", local_dir=tmp_path / "alice")

    # Mended, it waits for two people.
    notice = shipped_readings()["llama3.1"].notice.encode() + b"\n"
    text = text_of("llama3.1").encode()
    mended = [file_line("README.md", LLAMA), file_line("LICENSE", text), file_line("NOTICE", notice)]
    told = commit(http, REPO, mended).headers["X-HF-Warning"]
    assert told == f"license; held: its terms wait for a review, see {people.hub.url}/{REPO}/license"
    (line,) = [one for one in http.get("/api/reviews", headers=bearer(RITA)).json() if one["repo"] == REPO]
    assert (line["state"], line["waiting"], line["firstSeen"]) == ("in-review", 1, True)
    assert _approve(http, line["id"], RITA) == "second-review"
    assert _approve(http, line["id"], CARL) == "approved"

    # Released, it asks for consent to exactly these texts.
    with pytest.raises(GatedRepoError, match="ask for your consent"):
        bob.hf_hub_download(REPO, "model.bin", local_dir=tmp_path / "bob")
    asked = http.get(f"/api/models/{REPO}/acceptance", headers=bearer(BOB)).json()
    assert asked["documents"][0]["license"] == "llama3.1"
    word = {"key": asked["key"], "shown": asked["shown"]}
    assert http.post(f"/api/models/{REPO}/acceptance", json=word, headers=bearer(BOB)).status_code == 201
    pulled = bob.hf_hub_download(REPO, "model.bin", local_dir=tmp_path / "bob")
    assert Path(pulled).read_bytes() == b"weights " * 4000
    with pytest.raises(GatedRepoError):
        people.api(None).hf_hub_download(REPO, "LICENSE", local_dir=tmp_path / "nobody")

    # A changed text makes it stale, and nothing more goes out.
    other = text_of("llama3.1").encode() + b"\nEach year a postcard is due.\n"
    told = commit(http, REPO, [file_line("LICENSE", other)]).headers["X-HF-Warning"]
    assert "TEXT-CHANGED" in told
    with pytest.raises(GatedRepoError, match="is held"):
        bob.hf_hub_download(REPO, "README.md", local_dir=tmp_path / "later")
    current = http.get("/api/reviews", headers=bearer(RITA)).json()
    assert [(one["state"], one["id"] != line["id"]) for one in current if one["repo"] == REPO] == [
        ("stale", True)
    ]


def test_a_permissive_model_is_cleared_by_itself_and_pulled_by_anyone(people: People, tmp_path: Path) -> None:
    alice = people.api(ALICE)
    http = httpx.Client(base_url=people.hub.url, timeout=60)
    write_tree(
        tmp_path / "plain", {"model.bin": b"weights", "README.md": b"---\nlicense: mit\n---\n# Plain\n"}
    )
    alice.create_repo("acme/plain")
    alice.upload_folder(folder_path=tmp_path / "plain", repo_id="acme/plain")
    for _ in range(600):
        if http.get("/acme/plain/resolve/main/model.bin", follow_redirects=True).status_code == 200:
            break
        time.sleep(0.1)
    assert (
        Path(people.api(None).hf_hub_download("acme/plain", "model.bin", local_dir=tmp_path)).read_bytes()
        == b"weights"
    )
    assert "X-HF-Warning" not in commit(http, "acme/plain", [file_line("notes.txt", b"1")]).headers
