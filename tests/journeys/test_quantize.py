"""A model goes up, is quantized in the hub, and comes down again as llama.cpp would ask for it."""

import time
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from huggingface_hub import HfApi

from tests.journeys.people import ALICE, BOB, People, bearer
from tests.live import LiveHub
from tests.workers.quantizing.small import model_bytes
from workers.quantize import quantize_file

pytestmark = pytest.mark.parametrize("hub", ["redirect"], indirect=True)
CARD = "---\nlicense: mit\n---\n# Boats\n"


def watched(http: httpx.Client, url: str) -> dict[str, Any]:
    """Ask how far a conversion is until it has ended."""
    for _ in range(600):
        told: dict[str, Any] = http.get(url, headers=bearer(ALICE)).json()
        if told["state"] not in ("waiting", "running"):
            return told
        time.sleep(0.1)
    raise AssertionError(f"the conversion did not end: {told}")


def test_a_model_goes_up_and_its_quantization_comes_down(
    hub: LiveHub, people: People, alice: HfApi, http: httpx.Client, folder: Path, client_home: Path
) -> None:
    model = folder / "boats-BF16.gguf"
    model.write_bytes(model_bytes())
    (folder / "README.md").write_text(CARD)
    people.hf("upload", "alice/boats", str(folder), ".", home=client_home)
    asked: httpx.Response
    for _ in range(100):
        asked = http.post(
            "/api/models/alice/boats/convert", json={"types": ["Q4_K_M"]}, headers=bearer(ALICE)
        )
        # The upload is inspected in the background.
        if asked.status_code != 400 or "not read yet" not in asked.text:
            break
        time.sleep(0.1)
    assert asked.status_code == 202, asked.text
    told = watched(http, asked.headers["Location"])
    assert told["state"] == "done", f"{told}\n{hub.logs()}"
    people.hf("download", "alice/boats-GGUF", "--local-dir", str(folder / "down"), home=client_home)
    outcome = quantize_file(model, folder / "own.gguf", "Q4_K_M")
    assert (folder / "down" / "boats-Q4_K_M.gguf").read_bytes() == (folder / "own.gguf").read_bytes()
    info = alice.model_info("alice/boats-GGUF", files_metadata=True)
    assert info.card_data is not None
    assert (info.card_data["license"], info.card_data["base_model"]) == ("mit", ["alice/boats"])
    (file,) = [item for item in info.siblings or [] if item.rfilename.endswith(".gguf")]
    assert file.lfs is not None
    assert file.lfs.sha256 == outcome.files[0].sha256
    assert alice.list_repo_commits("alice/boats-GGUF")[0].authors == ["alice"]
    # What llama.cpp's -hf asks for: refs, the tree at a commit, the file at that commit.
    refs = http.get("/api/models/alice/boats-GGUF/refs").json()
    commit = next(branch["targetCommit"] for branch in refs["branches"] if branch["name"] == "main")
    tree = http.get(f"/api/models/alice/boats-GGUF/tree/{commit}", params={"recursive": "true"}).json()
    (path,) = [entry["path"] for entry in tree if "Q4_K_M" in entry["path"]]
    head = http.head(f"/alice/boats-GGUF/resolve/{commit}/{path}")
    assert (head.status_code, head.headers["Accept-Ranges"]) == (200, "bytes")
    refused = http.post("/api/models/alice/boats/convert", json={"types": ["Q8_0"]}, headers=bearer(BOB))
    assert refused.status_code == 403
