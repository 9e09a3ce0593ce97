"""What cannot be converted is named, and nothing is left behind."""

import json
import resource
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workers.converting.recipes import checkpoint, recipe
from tests.workers.converting.tensors import build
from workers.convert import ConvertError, convert_checkpoint

SMALL = "mistral-v1"
LIMIT = 64 * 1024


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return checkpoint(SMALL, tmp_path)


def refusal(folder: Path, kind: str = "BF16") -> str:
    """The message, after a look that no file was left."""
    target = folder.parent / "out.gguf"
    with pytest.raises(ConvertError) as caught:
        convert_checkpoint(folder, target, kind)
    assert list(folder.parent.glob("out.gguf*")) == []
    return str(caught.value)


def change(path: Path, **values: object) -> None:
    told = json.loads(path.read_text())
    told |= values
    path.write_text(json.dumps({key: value for key, value in told.items() if value is not ...}))


def test_an_unknown_architecture_is_told_with_those_known(folder: Path) -> None:
    change(folder / "config.json", architectures=["NovelForCausalLM"])
    (folder / "model.safetensors").unlink()
    message = refusal(folder)
    assert "NovelForCausalLM" in message
    assert "Qwen3MoeForCausalLM" in message


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    folder = checkpoint("qwen2-tied-sharded", tmp_path)
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert "model-00002-of-00002.safetensors: is missing" in refusal(folder)


def test_shards_without_their_index_are_refused(tmp_path: Path) -> None:
    folder = checkpoint("qwen2-tied-sharded", tmp_path)
    (folder / "model.safetensors.index.json").unlink()
    assert "one of several shards" in refusal(folder)


def test_a_file_cut_short_is_named(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    assert "model.safetensors: tensor" in refusal(folder)


def test_a_header_cut_short_is_named(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:50])
    assert "model.safetensors: the header claims" in refusal(folder)


@pytest.mark.parametrize(
    ("field", "values", "told"),
    [
        ("data_offsets", lambda at: [at[0] - 2, at[1] - 2], "inside 'model.layers"),
        ("data_offsets", lambda at: [at[0], 2**62], "take 128 bytes, not"),
        ("shape", lambda at: [2**62, 2**62], "overflows 64 bits"),
    ],
)
def test_tensors_over_each_other_and_absurd_lengths_are_refused(
    folder: Path, field: str, values: Callable[[list[int]], list[int]], told: str
) -> None:
    path = folder / "model.safetensors"
    raw = path.read_bytes()
    end = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:end])
    header["model.norm.weight"][field] = values(header["model.norm.weight"][field])
    made = json.dumps(header, separators=(",", ":")).encode()
    path.write_bytes(len(made).to_bytes(8, "little") + made + raw[end:])
    message = refusal(folder)
    assert "model.safetensors: tensor 'model.norm.weight'" in message
    assert told in message


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"hidden_size": 128}, "hidden_size"),
        ({"num_hidden_layers": 3}, "tells 3 blocks, but block 2 has no attn_output"),
        ({"num_hidden_layers": 1}, "'model.layers.1.input_layernorm.weight' is unknown"),
        ({"num_attention_heads": 8}, "heads"),
        ({"intermediate_size": 64}, "intermediate_size"),
        ({"vocab_size": 400}, "token_embd.weight is made of [340, 64]"),
        ({"num_attention_heads": "4"}, "num_attention_heads is '4'"),
        ({"num_attention_heads": 0}, "num_attention_heads is '0'"),
        ({"rope_scaling": {"rope_type": "new", "factor": 2}}, "rope_scaling.rope_type is 'new'"),
        ({"quantization_config": {"quant_method": "gptq"}}, "quantization_config.quant_method is 'gptq'"),
        (
            {"quantization_config": {"quant_method": "compressed-tensors"}},
            "is 'compressed-tensors'; it must be fp8",
        ),
        ({"quantization_config": {"load_in_4bit": True}}, "quantization_config.quant_method is missing"),
        ({"vocab_size": 2**31}, "vocab_size is '2147483648'"),
        ({"num_hidden_layers": 2**31}, "num_hidden_layers is '2147483648'"),
        ({"hidden_size": 2**40}, "hidden_size is '1099511627776'"),
    ],
)
def test_a_config_that_disagrees_with_the_weights_is_refused(
    folder: Path, values: dict[str, object], told: str
) -> None:
    change(folder / "config.json", **values)
    assert told in refusal(folder)


def test_a_weight_that_is_no_number_is_named(folder: Path) -> None:
    path = folder / "model.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-2:] = struct.pack("<H", 0x7FC0)
    path.write_bytes(raw)
    message = refusal(folder)
    assert "tensor 'model.norm.weight' holds 1 weights that are NaN or infinite" in message


def test_an_expert_that_is_missing_is_told(tmp_path: Path) -> None:
    told = recipe("mixtral-4e")
    told.tensors = [
        tensor for tensor in told.tensors if "layers.1.block_sparse_moe.experts.2.w3" not in tensor.name
    ]
    assert "block 1 has 11 expert tensors and lacks the others" in refusal(
        build("mixtral-4e", told, tmp_path)
    )


def test_an_unknown_pre_tokenizer_is_refused(tmp_path: Path) -> None:
    folder = checkpoint("mistral-nemo", tmp_path)
    told = json.loads((folder / "tokenizer.json").read_text())
    told["pre_tokenizer"]["pretokenizers"][1]["use_regex"] = False
    (folder / "tokenizer.json").write_text(json.dumps(told))
    assert "cuts text in a way that no known reader does" in refusal(folder)


def test_more_tokens_than_the_config_tells_are_refused(tmp_path: Path) -> None:
    told = recipe("mistral-nemo")
    told.config["vocab_size"] = 49000
    assert "has a token 49151, but config.json's vocab_size is 49000" in refusal(
        build("mistral-nemo", told, tmp_path)
    )


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b'{"model": 3}'])
def test_a_broken_tokenizer_is_named(tmp_path: Path, raw: bytes) -> None:
    folder = checkpoint("mistral-nemo", tmp_path)
    (folder / "tokenizer.json").write_bytes(raw)
    assert "tokenizer.json" in refusal(folder)


@pytest.mark.parametrize("cut", [1, 100, 1000])
def test_a_broken_sentencepiece_model_is_named(folder: Path, cut: int) -> None:
    path = folder / "tokenizer.model"
    path.write_bytes(path.read_bytes()[:-cut] + b"\xff" * 3)
    assert "tokenizer.model: " in refusal(folder)


def test_a_missing_tokenizer_is_named(folder: Path) -> None:
    (folder / "tokenizer.model").unlink()
    assert "tokenizer.json: is missing; check its name, or add it" in refusal(folder)


def test_eights_without_scales_are_refused(tmp_path: Path) -> None:
    told = recipe("deepseek-v3-fp8")
    told.tensors = [tensor for tensor in told.tensors if not tensor.name.endswith("o_proj.weight_scale_inv")]
    assert "o_proj.weight' is F8_E4M3, but the checkpoint has no" in refusal(
        build("deepseek-v3-fp8", told, tmp_path)
    )


def test_weights_beyond_float16_are_counted(tmp_path: Path) -> None:
    folder = checkpoint("llama-f32-edge", tmp_path)
    outcome = convert_checkpoint(folder, tmp_path / "out.gguf", "F16")
    assert outcome.overflows == {"token_embd.weight": 6}
    assert not convert_checkpoint(folder, tmp_path / "out.gguf", "F32").overflows


def test_a_disk_that_is_full_leaves_nothing(folder: Path) -> None:
    target = folder.parent / "out.gguf"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))

    done = subprocess.run(
        [sys.executable, "-m", "workers.convert", str(folder), str(target), "--type", "F32"],
        capture_output=True, text=True, preexec_fn=limit, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "out.gguf.partial: the disk took no more" in done.stderr
    assert list(folder.parent.glob("out.gguf*")) == []


def test_the_program_tells_the_files_digest_and_takes_the_checkpoints_type(folder: Path) -> None:
    target = folder.parent / "out.gguf"
    done = subprocess.run(
        [sys.executable, "-m", "workers.convert", str(folder), str(target)],
        capture_output=True,
        text=True,
        check=True,
    )
    again = convert_checkpoint(folder, folder.parent / "again.gguf")
    assert again.type == "BF16"
    assert done.stdout == f"{again.file.sha256}  {target}  {again.file.size} bytes\n"


def test_a_checkpoint_changed_meanwhile_is_refused(folder: Path) -> None:
    def touch(progress: object) -> None:
        with (folder / "model.safetensors").open("ab") as file:
            file.write(bytes(8))

    with pytest.raises(ConvertError, match="was changed while it was read"):
        convert_checkpoint(folder, folder.parent / "out.gguf", "F32", progress=touch)
    assert list(folder.parent.glob("out.gguf*")) == []


def test_bytes_do_not_depend_on_the_number_of_threads(folder: Path) -> None:
    found = {
        convert_checkpoint(folder, folder.parent / "out.gguf", "Q8_0", threads=threads).file.sha256
        for threads in (1, 3)
    }
    assert len(found) == 1
