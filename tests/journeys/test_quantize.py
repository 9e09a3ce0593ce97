"""A model goes up, is quantized in the hub, and comes down again as llama.cpp asks for it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from huggingface_hub import HfApi

from tests.journeys.people import ALICE, BOB, People, bearer
from tests.live import BASE_DIR, LiveHub
from tests.workers.converting.recipes import checkpoint

pytestmark = pytest.mark.parametrize("hub", ["redirect"], indirect=True)
CARD = "---\nlicense: mit\n---\n# Boats\n"
# As llama.cpp's programs do with -hf: its own code finds the file, fetches it, and loads it.
ASK = """
import sys, xllamacpp
wanted = xllamacpp.CommonParams()
# The package wants a path, which llama.cpp then replaces by that of what it fetched.
wanted.model.path = "none.gguf"
wanted.model.hf_repo, wanted.n_ctx, wanted.warmup = sys.argv[1], 64, False
server = xllamacpp.Server(wanted)
answer = server.handle_completions({"prompt": "a", "max_tokens": 2, "temperature": 0})
print("ANSWER", bool(answer["choices"]))
"""


def watched(http: httpx.Client, url: str) -> dict[str, Any]:
    """Ask how far a conversion is until it has ended."""
    for _ in range(600):
        told: dict[str, Any] = http.get(url, headers=bearer(ALICE)).json()
        if told["state"] not in ("waiting", "running"):
            return told
        time.sleep(0.1)
    raise AssertionError(f"the conversion did not end: {told}")


def asked(http: httpx.Client, **wish: Any) -> httpx.Response:
    answer: httpx.Response
    for _ in range(200):
        answer = http.post("/api/models/alice/boats/convert", json=wish, headers=bearer(ALICE))
        # The upload is inspected in the background.
        if answer.status_code != 400 or "not read yet" not in answer.text:
            break
        time.sleep(0.1)
    return answer


def run_by_llama(hub: LiveHub, wanted: str, cache: Path) -> set[str]:
    """Let llama.cpp itself find, fetch and run a file; returns the names of what it has fetched."""
    env = {**os.environ, "MODEL_ENDPOINT": hub.url, "HF_ENDPOINT": hub.url, "HF_TOKEN": ALICE}
    env |= {"LLAMA_CACHE": str(cache), "HF_HOME": str(cache), "HF_HUB_CACHE": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", ASK, wanted], env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert "ANSWER True" in done.stdout, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}\n{hub.logs(10)}"
    return {path.name for path in cache.rglob("*.gguf")}


def test_a_checkpoint_goes_up_and_comes_down_as_a_file_that_runs(
    hub: LiveHub, people: People, alice: HfApi, http: httpx.Client, folder: Path, client_home: Path, tmp_path: Path
) -> None:  # fmt: skip
    source = checkpoint("mistral-v1", folder)
    (source / "README.md").write_text(CARD)
    people.hf("upload", "alice/boats", str(source), ".", home=client_home)
    answer = asked(http, types=["Q4_K_M", "BF16", "F16"])
    assert answer.status_code == 202, answer.text
    told = watched(http, answer.headers["Location"])
    assert told["state"] == "done", f"{told}\n{hub.logs()}"
    people.hf("download", "alice/boats-GGUF", "--local-dir", str(folder / "down"), home=client_home)
    info = alice.model_info("alice/boats-GGUF", files_metadata=True)
    assert info.card_data is not None
    assert (info.card_data["license"], info.card_data["base_model"]) == ("mit", ["alice/boats"])
    assert alice.list_repo_commits("alice/boats-GGUF")[0].authors == ["alice"]
    # Somebody else makes the same bytes, with what the record says and nothing but the hub.
    env = {**people.environment(client_home), "PYTHONPATH": str(BASE_DIR)}
    record = str(folder / "down" / "provenance.json")
    proof = subprocess.run(
        [sys.executable, "-m", "workers.convert", "--reproduce", record],
        env=env, cwd=BASE_DIR, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (proof.returncode, proof.stdout.count("same: boats-")) == (0, 3), f"{proof.stdout}{proof.stderr}"
    # F16 is found before bf16, whose name contains it.
    for tag, name in (
        ("Q4_K_M", "boats-Q4_K_M.gguf"),
        ("F16", "boats-F16.gguf"),
        ("BF16", "boats-bf16.gguf"),
    ):
        assert name in run_by_llama(hub, f"alice/boats-GGUF:{tag}", tmp_path / tag)
    assert {file["path"] for file in told["result"]["files"]} == {
        "boats-Q4_K_M.gguf", "boats-bf16.gguf", "boats-F16.gguf"
    }  # fmt: skip
    refused = http.post("/api/models/alice/boats/convert", json={"types": ["Q8_0"]}, headers=bearer(BOB))
    assert refused.status_code == 403
    wrong = asked(http, types=["Q2_K_S"])
    assert (wrong.status_code, "importance matrix" in json.dumps(wrong.json())) == (400, True)
