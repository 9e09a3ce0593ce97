"""Weights as safetensors: from PyTorch's files, in other shards, with other floats, and nothing where it fails."""

import hashlib
import json
import resource
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.workers.converting.recipes import checkpoint, goldens
from tests.workers.converting.torch_checkpoints import as_torch, tensors_of
from tests.workers.formats.pickles import Storage, archive, dumped, state, torch_file, view
from workers.convert import convert_checkpoint
from workers.converting.casts import cast
from workers.converting.checkpoint import open_checkpoint
from workers.safetensors import ConvertError, rewrite_weights

FORMATS = Path(__file__).parent.parent / "formats" / "data"
# Files that torch 2.13 wrote, and what they become; tensor by tensor these are what torch itself loads from them.
REWRITTEN = {
    "zip": "f54373fba2f3d7a3da1f5659a157183ac7a3165f93e43dddad76935dd3cfddcd",
    "legacy": "f54373fba2f3d7a3da1f5659a157183ac7a3165f93e43dddad76935dd3cfddcd",
    "p4": "f54373fba2f3d7a3da1f5659a157183ac7a3165f93e43dddad76935dd3cfddcd",
    "v3": "71ab7eeec11956183a5e98e363e6f2391122bb5f0c08e0b2723e6e02fe9e0243",
}
LIMIT = 64 * 1024


def write(path: Path, told: Any, storages: dict[Storage, bytes]) -> Path:
    path.write_bytes(torch_file(told, {storage.key: raw for storage, raw in storages.items()}))
    return path


@pytest.mark.parametrize("kind", REWRITTEN)
def test_what_torch_saved_is_what_safetensors_hold(kind: str, tmp_path: Path) -> None:
    """Transposed, sliced, expanded and tied tensors among them; the tied one is told in the metadata."""
    outcome = rewrite_weights(FORMATS / f"torch-{kind}.bin", tmp_path / "out.safetensors")
    assert outcome.files[0].sha256 == REWRITTEN[kind]
    assert outcome.aliases == {"tied": "a"}
    found = tensors_of(tmp_path / "out.safetensors")
    rows = np.frombuffer(found["a"][2], "<f4").reshape(6, 10)
    assert found["t"][2] == rows.T.tobytes()
    assert found["p"][2] == rows[1:3].tobytes()
    assert found["exp"][2] == np.repeat(np.array([1, 2], "f4"), 5).tobytes()


def test_the_bytes_are_those_of_the_safetensors_library(tmp_path: Path) -> None:
    numbers = np.arange(24)
    given: dict[str, np.ndarray[Any, Any]] = {
        "b": numbers.astype("f4"), "a": numbers.astype("f4").reshape(2, 12), "h": numbers.astype("f2"), "i": numbers,
        "u": numbers.astype("u1"), "t": numbers > 5, "d": numbers.astype("f8"), "ü": numbers.astype("i4"),
        "none": np.zeros((0, 3), "f4"), "s": np.array(3, "f4"), "w": numbers.astype("u8"),
    }  # fmt: skip
    save_file(given, tmp_path / "library.safetensors", metadata={"format": "pt"})
    outcome = rewrite_weights(tmp_path / "library.safetensors", tmp_path / "own.safetensors")
    assert (
        outcome.files[0].sha256 == hashlib.sha256((tmp_path / "library.safetensors").read_bytes()).hexdigest()
    )


@pytest.mark.parametrize(
    ("case", "legacy"), [("mistral-v1", False), ("mistral-v1", True), ("qwen2-tied-sharded", False)]
)
def test_a_checkpoint_of_pickles_becomes_the_references_gguf(case: str, legacy: bool, tmp_path: Path) -> None:
    folder = as_torch(checkpoint(case, tmp_path), legacy=legacy)
    assert (
        convert_checkpoint(folder, tmp_path / "out.gguf", "BF16").file.sha256
        == goldens()[case]["files"]["BF16"]
    )


def test_shards_are_cut_indexed_and_put_together_again(tmp_path: Path) -> None:
    folder = checkpoint("mistral-v1", tmp_path)
    whole = rewrite_weights(folder, tmp_path / "whole.safetensors")
    parts = rewrite_weights(folder, tmp_path / "parts", shard_bytes=40_000)
    index = json.loads((tmp_path / "parts" / "model.safetensors.index.json").read_text())
    names = sorted(path.name for path in (tmp_path / "parts").iterdir())
    assert names[:2] == ["model-00001-of-00009.safetensors", "model-00002-of-00009.safetensors"]
    assert set(index["weight_map"].values()) == set(names[:-1])
    found = tensors_of(tmp_path / "whole.safetensors")
    assert index["metadata"]["total_size"] == sum(len(raw) for _, _, raw in found.values())
    assert index["weight_map"].keys() == found.keys()
    assert len(parts.files) == len(names) == 10
    again = rewrite_weights(tmp_path / "parts", tmp_path / "again.safetensors")
    assert again.files[0].sha256 == whole.files[0].sha256


def test_a_cast_touches_floats_only_and_counts_what_became_infinite(tmp_path: Path) -> None:
    given: dict[str, np.ndarray[Any, Any]] = {
        "f": np.array([1, 70000, -70000, np.inf, np.nan, 1e-9], "f4"), "d": np.array([1e300, 0.1], "f8"),
        "i": np.arange(3), "t": np.array([True], "?"),
    }  # fmt: skip
    save_file(given, tmp_path / "in.safetensors", metadata={"format": "pt", "by": "hand"})
    outcome = rewrite_weights(tmp_path / "in.safetensors", tmp_path / "out.safetensors", dtype="F16")
    found = tensors_of(tmp_path / "out.safetensors")
    assert {name: kind for name, (kind, _, _) in found.items()} == {
        "f": "F16",
        "d": "F16",
        "i": "I64",
        "t": "BOOL",
    }
    assert outcome.overflows == {"f": 2, "d": 1}
    assert np.array_equal(
        np.frombuffer(found["f"][2], "<f2"),
        np.array([1, np.inf, -np.inf, np.inf, np.nan, 0], "f2"),
        equal_nan=True,
    )
    header = (tmp_path / "out.safetensors").read_bytes()
    assert b'"format":"pt"' in header
    assert b'"by":"hand"' in header


def cast_bits(values: Any, source: str, target: str) -> list[int]:
    kinds: dict[str, Any] = {"F32": "<u4", "F16": "<u2", "BF16": "<u2"}
    return [int(bits) for bits in np.frombuffer(cast(values.tobytes(), source, target).data, kinds[target])]


def test_casts_round_to_the_nearest_and_ties_to_even() -> None:
    ties = [1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20, -(1 + 2**-8), 2**-133, 3 * 2**-134, 3.3962e38]
    assert cast_bits(np.array(ties, "f4"), "F32", "BF16") == [0x3F80, 0x3F82, 0x3F81, 0xBF80, 1, 2, 0x7F80]
    # Through 32 bits these would be rounded twice, and wrongly.
    twice = [1 + 2**-8 + 2**-40, 1 + 3 * 2**-8 - 2**-40, -(1 + 2**-8 + 2**-40), 2**-134 + 2**-180, 1e300]
    assert cast_bits(np.array(twice, "f8"), "F64", "BF16") == [0x3F81, 0x3F81, 0xBF81, 1, 0x7F80]
    assert cast_bits(np.array([1 + 2**-11 + 2**-50, 2**-25 + 2**-70], "f8"), "F64", "F16") == [0x3C01, 1]
    every = np.arange(65536, dtype="<u2")
    assert cast(every.tobytes(), "BF16", "BF16").data == every.tobytes()
    wide = cast(every.tobytes(), "BF16", "F32").data
    numbers = np.frombuffer(wide, "<f4")
    back = np.frombuffer(cast(bytes(wide), "F32", "BF16").data, "<u2")
    assert np.array_equal(back[~np.isnan(numbers)], every[~np.isnan(numbers)])


def test_what_is_no_number_stays_none() -> None:
    odd = np.array([0x7F800001, 0xFF800001, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FC00000], "u4")
    for source, bits in (
        ("F32", odd),
        ("F64", np.array([np.nan, -np.nan], "f8")),
        ("BF16", np.array([0x7F81, 0xFFFF], "u2")),
    ):
        for target, kind in (("BF16", "<u2"), ("F16", "<f2"), ("F32", "<f4")):
            made = cast(bits.tobytes(), source, target)
            numbers = np.frombuffer(made.data, kind)
            if target == "BF16":
                numbers = (numbers.astype(np.uint32) << 16).view(np.float32)
            assert np.isnan(numbers).all(), (source, target)
            assert made.overflows == 0


def refusal(source: Path, target: Path, **options: Any) -> str:
    """The message, after a look that nothing was left."""
    before = sorted(target.parent.rglob("*"))
    with pytest.raises(ConvertError) as caught:
        rewrite_weights(source, target, **options)
    assert sorted(target.parent.rglob("*")) == before
    return str(caught.value)


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    folder = checkpoint("mistral-v1", tmp_path)
    weights, target = folder / "model.safetensors", tmp_path / "new"
    assert "'Q8_0' is no type" in refusal(folder, target, dtype="Q8_0")
    assert "holds neither" in refusal(tmp_path, target)
    assert "is what is read" in refusal(folder, folder)
    assert "is what is read" in refusal(weights, weights)
    assert "holds model.safetensors already" in refusal(folder, folder, shard_bytes=40_000)
    assert "no folder to write to" in refusal(folder, tmp_path / "no" / "out.safetensors")
    raw = bytearray(weights.read_bytes())
    (tmp_path / "cut.bin").write_bytes(raw[:1000])
    assert "cut.bin: is no file of torch.save" in refusal(tmp_path / "cut.bin", target)
    (tmp_path / "bad.bin").write_bytes(archive({"data.pkl": b"cos\nsystem\n."}))
    assert "'os.system'" in refusal(tmp_path / "bad.bin", target)

    def touch(progress: object) -> None:
        with weights.open("ab") as file:
            file.write(bytes(8))

    assert "was changed while it was read" in refusal(folder, target, progress=touch)


def test_eights_are_kept_but_not_cast(tmp_path: Path) -> None:
    source = write(
        tmp_path / "in.bin", {"x": view(Storage("0", "F64", 2), (2,))}, {Storage("0", "F64", 2): bytes(16)}
    )
    assert rewrite_weights(source, tmp_path / "wide.safetensors", dtype="BF16")
    eights = FORMATS / "torch-v3.bin"
    assert "tensor 'f8' is F8_E4M3, which means nothing without its scales" in refusal(
        eights, tmp_path / "new", dtype="BF16"
    )


def test_scattered_numbers_beyond_the_bound_are_refused(tmp_path: Path) -> None:
    storage = Storage("0", "F32", 2**25 + 2)
    pickle = dumped({"x": view(storage, (2, 2**24 + 1), (1, 2))})
    with (tmp_path / "in.bin").open("wb") as file:
        raw = archive({"data.pkl": pickle, "data/0": bytes(4 * storage.number)})
        file.write(raw)
    assert "lie scattered; at most" in refusal(tmp_path / "in.bin", tmp_path / "new")


def test_a_disk_that_is_full_leaves_nothing(tmp_path: Path) -> None:
    told, storages = state({"x": ("F32", (2**16,), bytes(2**18))})
    source = write(tmp_path / "in.bin", told, storages)
    done = subprocess.run(
        [sys.executable, "-m", "workers.safetensors", str(source), str(tmp_path / "new")],
        capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT)),
    )  # fmt: skip
    assert done.returncode == 1
    assert "model.safetensors.partial: the disk took no more" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.bin"]


def test_the_program_tells_files_second_names_and_warnings(tmp_path: Path) -> None:
    storage = Storage("0", "F32", 2)
    told = {"embed": view(storage, (2,)), "head": view(storage, (2,))}
    source = write(tmp_path / "in.bin", told, {storage: struct.pack("<ff", 1, 1e30)})
    target = tmp_path / "out.safetensors"
    done = subprocess.run(
        [sys.executable, "-m", "workers.safetensors", str(source), str(target), "--dtype", "f16"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    assert done.stdout == f"{digest}  {target}  {target.stat().st_size} bytes\n"
    assert "head is embed under another name" in done.stderr
    assert "embed: 1 weights are beyond F16" in done.stderr
    assert b'"head":"embed"' in target.read_bytes()


def test_weights_are_read_from_the_file_that_was_opened(tmp_path: Path) -> None:
    """Whatever the path names by then."""
    folder = checkpoint("mistral-v1", tmp_path)
    path = folder / "model.safetensors"
    raw = path.read_bytes()
    with open_checkpoint(folder) as found:
        (tmp_path / "other").write_bytes(bytes(len(raw)))
        (tmp_path / "other").replace(path)
        source = found.tensors["model.norm.weight"]
        assert found.read(source, 0, source.size) == raw[source.start : source.start + source.size]
