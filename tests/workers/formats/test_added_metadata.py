"""Metadata added to the header by both engines: where it lands, what type it gets, and that nothing else changes."""

import re
from pathlib import Path
from typing import Any

import gguf
import pytest

from tests.workers.converting.recipes import checkpoint
from tests.workers.formats.build import text_pair
from tests.workers.quantizing import small
from workers.convert import ConvertError, convert_checkpoint
from workers.formats.added_metadata import typed
from workers.quantize import Options, QuantizeError, quantize_file

ADDED: dict[str, Any] = {
    "general.name": "Grüße",
    "general.base_model.count": 1,
    "general.base_model.0.repo_url": "https://hub.example.org/ada/it",
    "weighhouse.offset": -3,
    "weighhouse.large": 2**40,
    "weighhouse.error": 0.25,
    "weighhouse.checked": True,
    "general.tags": ["a", "b"],
    "weighhouse.sizes": [1, 2, 3],
}


def read(path: Path) -> dict[str, Any]:
    """Keys and values as the gguf package reads them, in order."""
    fields = gguf.GGUFReader(path).fields
    return {key: field.contents() for key, field in fields.items() if not key.startswith("GGUF.")}


def without_header(path: Path) -> bytes:
    return path.read_bytes()[gguf.GGUFReader(path).data_offset :]


def test_a_quantized_file_carries_what_was_added_behind_its_general_keys(tmp_path: Path) -> None:
    keys = [text_pair("general.name", "old"), *small.pairs()]
    source = small.write(tmp_path, small.model_bytes(keys=keys))
    quantize_file(source, tmp_path / "plain.gguf", "Q8_0")
    quantize_file(source, tmp_path / "told.gguf", "Q8_0", options=Options(metadata=ADDED))
    plain, told = read(tmp_path / "plain.gguf"), read(tmp_path / "told.gguf")
    assert told == {**plain, **ADDED}
    names = list(told)
    assert names[:2] == list(plain)[:2] == ["general.name", "general.architecture"]
    assert names[2 : 1 + len(ADDED)] == list(ADDED)[1:]
    assert names[1 + len(ADDED) :] == list(plain)[2:]
    assert without_header(tmp_path / "told.gguf") == without_header(tmp_path / "plain.gguf")


def test_only_the_first_shard_carries_what_was_added(tmp_path: Path) -> None:
    source = small.write(tmp_path, small.model_bytes())
    options = Options(metadata=ADDED, split_bytes=40_000)
    first, second, *_ = quantize_file(source, tmp_path / "out.gguf", "Q8_0", options=options).files
    assert ADDED.items() <= read(first.path).items()
    assert not ADDED.keys() & read(second.path).keys()


def test_a_converted_file_carries_what_was_added_behind_its_general_keys(tmp_path: Path) -> None:
    folder = checkpoint("llama2-mha-spm", tmp_path)
    convert_checkpoint(folder, tmp_path / "plain.gguf", "BF16")
    convert_checkpoint(folder, tmp_path / "told.gguf", "BF16", metadata=ADDED)
    plain, told = read(tmp_path / "plain.gguf"), read(tmp_path / "told.gguf")
    assert told == {**plain, **ADDED}
    names = list(told)
    assert names.index("general.name") == list(plain).index("general.name")
    assert names.index("weighhouse.sizes") < names.index("llama.block_count")
    assert without_header(tmp_path / "told.gguf") == without_header(tmp_path / "plain.gguf")


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"general.architecture": "bert"}, "general.architecture: is decided by the file"),
        ({"split.count": 2}, "split.count: is decided by the file"),
        ({"": "x"}, "a key is words joined by dots"),
        ({"name": "x"}, "a key is words joined by dots"),
        ({"a." + "b" * 300: "x"}, "a key is words joined by dots"),
        ({"a.b": []}, "a.b: must be text"),
        ({"a.b": None}, "a.b: must be text"),
        ({"a.b": ["x", 1]}, "a.b: a list must hold only texts"),
        ({"a.b": [True, 1]}, "a.b: a list must hold only texts"),
        ({"a.b": 2**64}, "a.b: a whole number does not fit"),
        ({"a.b": [-1, 2**63]}, "a.b: a whole number does not fit"),
        ({"a.b": float("nan")}, "a.b: a number does not fit"),
        ({"a.b": 1e39}, "a.b: a number does not fit"),
        ({"a.b": "x\0y"}, "a.b: a text holds a NUL"),
    ],
)
def test_metadata_that_no_header_holds_is_refused_before_anything_is_written(
    metadata: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        typed(metadata)
    source = small.write(tmp_path, small.model_bytes())
    with pytest.raises(QuantizeError, match=re.escape(told)):
        quantize_file(source, tmp_path / "out.gguf", "Q8_0", options=Options(metadata=metadata))
    assert [path.name for path in tmp_path.iterdir()] == ["model.gguf"]


def test_a_conversion_refuses_such_metadata_too(tmp_path: Path) -> None:
    folder = checkpoint("llama2-mha-spm", tmp_path)
    with pytest.raises(ConvertError, match="decided by the file"):
        convert_checkpoint(folder, tmp_path / "out.gguf", "BF16", metadata={"general.file_type": 1})
    assert not list(tmp_path.glob("out*"))
