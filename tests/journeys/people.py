"""Who takes part in the journeys, and the ways they speak to a hub."""

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
from huggingface_hub import HfApi

from tests.live import LiveHub

ALICE, BOB = "hf_" + "a" * 36, "hf_" + "b" * 36
NDJSON = "application/x-ndjson"
LFS = "application/vnd.git-lfs+json"


@dataclass(frozen=True)
class People:
    """The users of one hub."""

    hub: LiveHub

    def api(self, token: str | None) -> HfApi:
        """Return the stock client with this token, or with none."""
        return HfApi(endpoint=self.hub.url, token=token or False)

    def hf(self, *words: str, home: Path, token: str = ALICE) -> str:
        """Run the ``hf`` program and return what it printed; raises AssertionError when it fails."""
        done = subprocess.run(
            [str(Path(sys.executable).parent / "hf"), *words],
            env=self.environment(home, token),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (
            f"hf {' '.join(words)} failed\n{done.stdout}{done.stderr}\n{self.hub.logs(15)}"
        )
        return done.stdout + done.stderr

    def environment(self, home: Path, token: str = ALICE) -> dict[str, str]:
        """Return the environment of a stock client in an empty home."""
        outside = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUB_"))}
        return {
            **outside, "HF_ENDPOINT": self.hub.url, "HF_TOKEN": token, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "NO_COLOR": "1",
        }  # fmt: skip


def make_people(hub: LiveHub) -> People:
    """Make Alice with her organization, and Bob."""
    hub.ensure_user("alice", token=ALICE, orgs=["acme"])
    hub.ensure_user("bob", token=BOB)
    return People(hub)


def bearer(token: str | None) -> dict[str, str]:
    """Return the header that signs a request."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_tree(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files below a folder, by their paths."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def read_tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, except for what the client keeps for itself."""
    files = (file for file in folder.rglob("*") if file.is_file() and ".cache" not in file.parts)
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def ndjson(lines: Iterable[tuple[str, Mapping[str, Any]]], summary: str = "by hand", **header: str) -> bytes:
    """Return the body of a commit."""
    head = ("header", {"summary": summary, "description": "", **header})
    return b"".join(
        json.dumps({"key": key, "value": value}).encode() + b"\n" for key, value in (head, *lines)
    )


def file_line(path: str, content: bytes) -> tuple[str, dict[str, str]]:
    """Return the line of a commit that adds a small file."""
    return "file", {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}


def large_line(path: str, sha256: str, size: int) -> tuple[str, dict[str, Any]]:
    """Return the line of a commit that adds a large file."""
    return "lfsFile", {"path": path, "algo": "sha256", "oid": sha256, "size": size}


def commit(
    http: httpx.Client,
    repo: str,
    lines: Iterable[tuple[str, Mapping[str, Any]]],
    token: str | None = ALICE,
    **query: str,
) -> httpx.Response:
    """Send a commit to main, and return the answer."""
    return http.post(
        f"/api/models/{repo}/commit/main", content=ndjson(lines), params=query,
        headers={**bearer(token), "Content-Type": NDJSON},
    )  # fmt: skip


def batch(
    http: httpx.Client, repo: str, objects: Iterable[tuple[str, int]], *, token: str | None = ALICE,
    operation: str = "upload", transfers: Iterable[str] = ("basic", "multipart"),
) -> httpx.Response:  # fmt: skip
    """Ask the LFS batch door."""
    body = {
        "operation": operation, "transfers": list(transfers), "hash_algo": "sha256",
        "objects": [{"oid": oid, "size": size} for oid, size in objects],
    }  # fmt: skip
    return http.post(
        f"/{repo}.git/info/lfs/objects/batch", content=json.dumps(body),
        headers={**bearer(token), "Content-Type": LFS, "Accept": LFS},
    )  # fmt: skip


def upload_address(http: httpx.Client, repo: str, sha256: str, size: int, token: str = ALICE) -> str:
    """Return where the hub wants the bytes of a small upload."""
    answer = batch(http, repo, [(sha256, size)], token=token)
    assert answer.status_code == 200, answer.text
    href: str = answer.json()["objects"][0]["actions"]["upload"]["href"]
    return href
