"""Headers: metadata in the reference's order and spelling, whatever the input's, and shards that fit together."""

import json
import struct
from pathlib import Path

import pytest
from gguf import GGUFReader

from tests.workers.formats.build import array, number_pair, pair, string, text_pair
from tests.workers.quantizing import small
from workers.quantize import Options, QuantizeError, quantize_file

GOLDENS = json.loads(Path(__file__).with_name("goldens.json").read_text())["odd"]

# What the reference copies in a way of its own: texts up to their first NUL, any true as 1, its own keys at the end.
ODD_PAIRS = [
    text_pair("x.text", "ab\0cd"),
    pair("x.texts", 9, array(8, 3, string("a\0b") + string("") + string("c"))),
    pair("x.flag", 7, b"\x05"),
    pair("x.flags", 9, array(7, 3, b"\x00\x02\x01")),
    number_pair("general.file_type", 1),
    pair("x.i16", 3, struct.pack("<h", -3)),
    pair("x.f64", 12, struct.pack("<d", 0.1)),
    number_pair("general.quantization_version", 9),
    pair("x.empty", 9, array(5, 0)),
    text_pair("quantize.imatrix.file", "old"),
]
ODD_TENSORS = {
    **small.TENSORS, "abcde": (256, 8), "blk.2.flat.weight": (256, 1), "blk.3.thing.weight": (288, 1, 4),
    "blk.10.ffn_down_x.weight": (100, 4), "per_layer_token_embd.weight": (256, 8), "blk.0.attn_kv_b.weight": (288, 8),
}  # fmt: skip


def odd_model() -> bytes:
    return small.model_bytes(ODD_TENSORS, keys=[*small.pairs(), *ODD_PAIRS])


@pytest.mark.parametrize("case", GOLDENS)
def test_odd_metadata_names_and_wishes_give_the_references_bytes(case: str, tmp_path: Path) -> None:
    """A case is a file type and the options of the command line, as the reference was given them."""
    kind, *words = case.split()
    wishes = dict(zip(words[::2], words[1::2], strict=True))
    options = Options(
        output_tensor_type=wishes.get("--output-tensor-type"),
        token_embedding_type=wishes.get("--token-embedding-type"),
        tensor_types=(("attn_(k|q)\\.", wishes["attn_(k|q)\\."]),) if "attn_(k|q)\\." in wishes else (),
    )
    outcome = quantize_file(small.write(tmp_path, odd_model()), tmp_path / "out.gguf", kind, options=options)
    assert outcome.files[0].sha256 == GOLDENS[case]


def test_version_2_is_read_and_3_is_written(tmp_path: Path) -> None:
    old = small.write(tmp_path, small.model_bytes(version=2), "old.gguf")
    new = small.write(tmp_path, small.model_bytes(), "new.gguf")
    first, second = (quantize_file(path, tmp_path / "out.gguf", "Q4_K_M") for path in (old, new))
    assert first == second
    assert (tmp_path / "out.gguf").read_bytes()[4] == 3


def test_an_alignment_of_the_input_is_kept_so_that_the_file_can_be_read(tmp_path: Path) -> None:
    """The reference pads to 32 there and keeps the key, which no reader accepts."""
    keys = [*small.pairs(), number_pair("general.alignment", 128)]
    source = small.write(tmp_path, small.model_bytes(keys=keys, alignment=128))
    quantize_file(source, tmp_path / "out.gguf", "Q5_0")
    found = GGUFReader(tmp_path / "out.gguf")
    assert found.alignment == 128 and all(tensor.data_offset % 128 == 0 for tensor in found.tensors)


def shards_of(
    raw_tensors: small.Shapes, folder: Path, *, promised: int | None = None, third: int = 2
) -> Path:
    """The same model in three files; the name of the first."""
    names = list(raw_tensors)
    parts = [names[:1], names[1:20], names[20:]]
    total = len(names) if promised is None else promised
    for number, part in enumerate(parts):
        split = [
            pair("split.no", 2, struct.pack("<H", third if number == 2 else number)),
            pair("split.count", 2, struct.pack("<H", 3)),
            pair("split.tensors.count", 5, struct.pack("<i", total)),
        ]
        keys = [*small.pairs(), *split] if number == 0 else split
        raw = small.model_bytes({name: raw_tensors[name] for name in part}, keys=keys)
        small.write(folder, raw, f"part-{number + 1:05d}-of-00003.gguf")
    return folder / "part-00001-of-00003.gguf"


def test_a_model_in_shards_becomes_the_same_file_as_one_in_a_whole(tmp_path: Path) -> None:
    whole = quantize_file(small.write(tmp_path, small.model_bytes()), tmp_path / "a.gguf", "Q4_K_M")
    parts = quantize_file(shards_of(small.TENSORS, tmp_path), tmp_path / "b.gguf", "Q4_K_M")
    assert parts.files[0].sha256 == whole.files[0].sha256
    assert parts.tensors == whole.tensors


def test_shards_that_do_not_make_a_model_are_refused_by_name(tmp_path: Path) -> None:
    first = shards_of(small.TENSORS, tmp_path, promised=99)
    with pytest.raises(QuantizeError, match=r"split\.tensors\.count is 99, but the shards hold 35 tensors"):
        quantize_file(first, tmp_path / "out.gguf", "Q8_0")
    second = first.with_name("part-00002-of-00003.gguf")
    with pytest.raises(QuantizeError, match="is shard 2 of 3; name the first shard"):
        quantize_file(second, tmp_path / "out.gguf", "Q8_0")
    first = shards_of(small.TENSORS, tmp_path, third=1)
    with pytest.raises(QuantizeError, match=r"00003-of-00003\.gguf: split\.no is 1; the name says 2"):
        quantize_file(first, tmp_path / "out.gguf", "Q8_0")
    renamed = first.rename(tmp_path / "renamed.gguf")
    with pytest.raises(
        QuantizeError, match="is the first of 3 shards, so its name must end in -00001-of-00003"
    ):
        quantize_file(renamed, tmp_path / "out.gguf", "Q8_0")
    renamed.rename(first)
    second.unlink()
    with pytest.raises(QuantizeError, match=r"part-00002-of-00003\.gguf: is missing"):
        quantize_file(first, tmp_path / "out.gguf", "Q8_0")
    assert not (tmp_path / "out.gguf").exists()


def test_a_tensor_in_two_shards_is_refused(tmp_path: Path) -> None:
    first = shards_of(small.TENSORS, tmp_path)
    copy = small.model_bytes(
        {"output.weight": (256, 64)},
        keys=[pair("split.no", 2, struct.pack("<H", 1)), pair("split.count", 2, struct.pack("<H", 3))],
    )
    small.write(tmp_path, copy, "part-00002-of-00003.gguf")
    with pytest.raises(QuantizeError, match=r"tensor 'output\.weight' is in another shard too"):
        quantize_file(first, tmp_path / "out.gguf", "Q8_0")


def test_a_large_output_becomes_shards_that_hold_the_same_model(tmp_path: Path) -> None:
    source = small.write(tmp_path, small.model_bytes())
    whole = quantize_file(source, tmp_path / "whole.gguf", "Q4_K_M")
    parts = quantize_file(source, tmp_path / "parts.gguf", "Q4_K_M", options=Options(split_bytes=40_000))
    names = [file.path.name for file in parts.files]
    assert names == [f"parts-{number:05d}-of-{len(names):05d}.gguf" for number in range(1, len(names) + 1)]
    assert len(names) > 1 and parts.tensors == whole.tensors
    readers = [GGUFReader(file.path) for file in parts.files]
    # The order of these keys is llama-gguf-split's.
    assert [list(reader.fields)[-3:] for reader in readers] == [
        ["split.no", "split.tensors.count", "split.count"]
    ] * len(names)
    assert [reader.fields["split.no"].contents() for reader in readers] == list(range(len(names)))
    assert all(sum(tensor.n_bytes for tensor in reader.tensors) <= 40_000 for reader in readers)
    data = {tensor.name: tensor.data.tobytes() for reader in readers for tensor in reader.tensors}
    assert data == {
        tensor.name: tensor.data.tobytes() for tensor in GGUFReader(tmp_path / "whole.gguf").tensors
    }
    back = quantize_file(parts.files[0].path, tmp_path / "back.gguf", "Q4_K_M")
    assert back.files[0].sha256 == whole.files[0].sha256
