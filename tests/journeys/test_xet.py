"""The stock client as it is installed: large files go and come chunk by chunk, without any switch."""

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2 as httpx
import numpy

from tests.journeys.people import ALICE, People, bearer, read_tree, sha256_of, write_tree
from tests.live import LiveHub

MIB = 2**20
New = Callable[..., str]


def weights(size: int, seed: int = 1) -> bytes:
    """Return bytes like those of a model in bf16: compressible in every other byte only."""
    values = numpy.random.default_rng(seed).normal(0, 0.02, size // 4).astype("<f4")
    return values.tobytes()


def run(people: People, home: Path, *words: str, token: str = ALICE, **extra: str) -> str:
    """Run a program of the client's environment with Xet on; raises AssertionError when it fails."""
    env = {**people.environment(home, token), **extra}
    env.pop("HF_HUB_DISABLE_XET", None)
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words} failed\n{done.stdout}{done.stderr}\n{people.hub.logs(25)}"
    return done.stdout


def hf(people: People, home: Path, *words: str, token: str = ALICE, **extra: str) -> str:
    return run(people, home, str(Path(sys.executable).parent / "hf"), *words, token=token, **extra)


def without_attributes(tree: dict[str, bytes]) -> dict[str, bytes]:
    return {path: content for path, content in tree.items() if path != ".gitattributes"}


def counted(hub: LiveHub) -> tuple[int, int]:
    """Return how many xorbs the hub keeps, and their stored bytes."""
    told = hub.manage(
        "shell", "-v", "0", "-c",
        "from storage.models import Xorb; from django.db.models import Sum;"
        "print(Xorb.objects.count(), Xorb.objects.aggregate(s=Sum('stored_size'))['s'] or 0)",
    )  # fmt: skip
    count, size = told.split()
    return int(count), int(size)


def model() -> dict[str, bytes]:
    return {
        "README.md": b"---\nlicense: apache-2.0\n---\n# A model\n",
        "config.json": b'{"hidden_size": 8}',
        "one.bin": b"\0",
        "small.bin": weights(40_000, 2),
        "model.safetensors": weights(24 * MIB),
        "deep/er/random.bin": random.Random(5).randbytes(3 * MIB),
    }


def test_a_folder_goes_up_and_comes_down_in_chunks(
    hub: LiveHub, people: People, http: httpx.Client, new_repo: New, folder: Path, tmp_path: Path
) -> None:
    sent, repo = model(), new_repo(private=True)
    write_tree(folder, sent)
    hf(people, tmp_path / "one", "upload", repo, str(folder))
    head = http.head(f"/{repo}/resolve/main/model.safetensors", headers=bearer(ALICE))
    assert len(head.headers["X-Xet-Hash"]) == 64
    assert head.headers["Link"].endswith('rel="xet-auth"')
    listed = {
        item["path"]: item for item in http.get(f"/api/models/{repo}/tree/main", headers=bearer(ALICE)).json()
    }
    assert listed["model.safetensors"]["xetHash"] == head.headers["X-Xet-Hash"]
    assert "xetHash" not in listed["config.json"]
    hf(people, tmp_path / "two", "download", repo, "--local-dir", str(tmp_path / "got"))
    assert without_attributes(read_tree(tmp_path / "got")) == sent
    plain = httpx.get(
        f"{hub.url}/{repo}/resolve/main/model.safetensors", headers=bearer(ALICE), follow_redirects=True
    )
    assert sha256_of(plain.content) == sha256_of(sent["model.safetensors"])
