"""Which type each tensor gets: as llama-quantize chose for models of these shapes, and by rules one at a time.

A golden says how many tensors got which type, and a digest of all names with their types.
"""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from workers.quantizing.errors import QuantizeError
from workers.quantizing.mix import Choice, Wishes, choose_types, part_of
from workers.quantizing.model import SourceTensor, writing_order
from workers.quantizing.traits import Traits
from workers.quantizing.types import FILE_TYPES, file_type, tensor_type

GOLDENS = json.loads(Path(__file__).with_name("goldens.json").read_text())["mixes"]
WIDTH = 256
NONE = Wishes()


class House(NamedTuple):
    """A model as far as its mix goes."""

    traits: Traits
    tied: bool = False


HOUSES = {
    "llama, 80 layers": House(Traits("llama", 80, heads=8, kv_heads=2)),
    "qwen2, 80 layers": House(Traits("qwen2", 80, heads=8, kv_heads=4)),
    "falcon, 32 layers": House(Traits("falcon", 32, heads=8, kv_heads=2)),
    "llama, 17 layers, 8 experts": House(Traits("llama", 17, experts=8, heads=8, kv_heads=2)),
    "qwen3moe, 12 layers, 16 experts": House(Traits("qwen3moe", 12, experts=16, heads=8, kv_heads=2)),
    "gemma2, 26 layers, tied": House(Traits("gemma2", 26, heads=8, kv_heads=2), tied=True),
}


def tensor(name: str, *shape: int) -> SourceTensor:
    kind = "F32" if name.endswith(("norm.weight", "gate_inp.weight")) else "BF16"
    return SourceTensor(name, kind, shape or (WIDTH, 32), 0, 0, 0)


def tensors(house: House) -> list[SourceTensor]:
    names = ["token_embd.weight", *([] if house.tied else ["output.weight"])]
    experts = house.traits.experts
    found = [tensor(name) for name in names] + [tensor("output_norm.weight", WIDTH)]
    for layer in range(house.traits.layers):
        prefix = f"blk.{layer}."
        found.append(tensor(f"{prefix}attn_norm.weight", WIDTH))
        found += [tensor(f"{prefix}attn_{part}.weight") for part in ("q", "k", "v", "output")]
        for part in ("gate", "up", "down"):
            name = f"{prefix}ffn_{part}"
            found.append(
                tensor(f"{name}_exps.weight", WIDTH, 4, experts) if experts else tensor(f"{name}.weight")
            )
        if experts:
            found.append(tensor(f"{prefix}ffn_gate_inp.weight", WIDTH, experts))
    return sorted(found, key=writing_order)


def choices(
    house: House, kind: str, wishes: Wishes = NONE, *, has_imatrix: bool = False
) -> dict[str, Choice]:
    ordered = tensors(house)
    chosen = choose_types(
        ordered, traits=house.traits, file=file_type(kind), wishes=wishes, has_imatrix=has_imatrix
    )
    return {tensor.name: choice for tensor, choice in zip(ordered, chosen, strict=True)}


def summary(name: str, kind: str) -> str:
    return summed({name: choice.type for name, choice in choices(HOUSES[name], kind).items()})


def summed(types: dict[str, str]) -> str:
    counts = Counter(types.values())
    lines = "".join(f"{name} {kind}\n" for name, kind in types.items())
    told = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
    return f"{told}; {hashlib.sha256(lines.encode()).hexdigest()[:12]}"


@pytest.mark.parametrize("kind", [kind for kind in FILE_TYPES if kind != "Q2_K_S"])
@pytest.mark.parametrize("name", HOUSES)
def test_a_mix_is_the_references(name: str, kind: str) -> None:
    assert summary(name, kind) == GOLDENS[name][kind]


def one(name: str, kind: str, wishes: Wishes = NONE, *shape: int) -> Choice:
    """The choice for a single tensor in a model that also has an output."""
    found = [tensor(name, *shape), tensor("output.weight")]
    house = HOUSES["llama, 80 layers"]
    return choose_types(found, traits=house.traits, file=file_type(kind), wishes=wishes, has_imatrix=False)[0]


@pytest.mark.parametrize(("columns", "chosen"), [(256, "Q4_K"), (288, "Q5_0"), (32, "Q5_0"), (40, "F16")])
def test_rows_that_fit_no_large_block_fall_back_to_small_ones_and_to_halves(
    columns: int, chosen: str
) -> None:
    choice = one("blk.0.attn_q.weight", "Q4_K_M", NONE, columns, 32)
    assert choice == Choice(chosen, None if columns == 256 else "Q4_K")


@pytest.mark.parametrize(("kind", "block"), [("Q1_0", 128), ("nvfp4", 64)])
def test_types_without_a_fallback_are_refused(kind: str, block: int) -> None:
    wishes = Wishes(patterns=((re.compile("attn_q"), tensor_type(kind)),))
    with pytest.raises(QuantizeError, match=f"a row has 32 weights; .* needs a multiple of {block}"):
        one("blk.0.attn_q.weight", "Q4_K_M", wishes, 32, 32)


@pytest.mark.parametrize(
    "name",
    [
        "blk.0.attn_q_norm.weight", "blk.0.ffn_gate_inp.weight", "position_embd.weight", "blk.0.ssm_conv1d.weight",
        "blk.0.attn_q.bias", "blk.0.time_mix_w1.weight", "v.patch_embd.weight", "mm.a.code_embd.weight",
        "blk.0.weights", "token_types.weight", "blk.1.altup_proj.weight",
    ],
)  # fmt: skip
def test_small_and_odd_tensors_keep_their_type(name: str) -> None:
    assert one(name, "Q4_0").type == tensor(name).type


def test_vectors_keep_their_type_however_many_dimensions_of_one_they_have() -> None:
    assert one("blk.0.attn_q.weight", "Q4_0", NONE, 256) == Choice("BF16")


def test_a_name_of_five_bytes_passes_as_a_weight_as_it_does_in_the_reference() -> None:
    assert one("abcde", "Q4_0") == Choice("Q4_0")
    assert one("abcdef", "Q4_0") == Choice("BF16")


def test_the_first_pattern_found_wins_over_mix_and_purity_but_not_over_wishes_for_the_ends() -> None:
    patterns = (
        (re.compile("attn_v"), "Q2_K"),
        (re.compile("attn"), "Q8_0"),
        (re.compile("embd|output"), "Q4_1"),
    )
    house, pure = HOUSES["llama, 80 layers"], Wishes(patterns=patterns, pure=True)
    chosen = choices(house, "Q4_K_M", pure)
    assert [chosen[f"blk.0.attn_{part}.weight"].type for part in "vkq"] == ["Q2_K", "Q8_0", "Q8_0"]
    assert chosen["output.weight"].type == chosen["token_embd.weight"].type == "Q4_1"
    assert chosen["blk.0.ffn_down.weight"].type == "Q4_K"
    ends = choices(house, "Q4_K_M", Wishes(patterns=patterns, output="Q5_0", token_embedding="Q5_1"))
    assert (ends["output.weight"].type, ends["token_embd.weight"].type) == ("Q5_0", "Q5_1")


def test_embeddings_that_are_also_the_output_get_the_outputs_type() -> None:
    tied = HOUSES["gemma2, 26 layers, tied"]
    assert choices(tied, "Q4_K_M")["token_embd.weight"].type == "Q6_K"
    assert choices(tied, "Q4_K_M", Wishes(output="Q5_K"))["token_embd.weight"].type == "Q5_K"
    assert choices(HOUSES["qwen2, 80 layers"], "Q4_K_M")["token_embd.weight"].type == "Q4_K"


def test_an_importance_matrix_changes_the_first_layers_of_simple_types_only() -> None:
    house = HOUSES["qwen2, 80 layers"]
    for kind, with_matrix, without in (("Q4_0", "Q4_1", "Q4_0"), ("IQ4_XS", "IQ4_XS", "Q5_K")):
        name = "blk.0.ffn_down.weight"
        assert choices(house, kind, has_imatrix=True)[name].type == with_matrix
        assert choices(house, kind)[name].type == without
        assert choices(house, kind, has_imatrix=True)["blk.40.ffn_down.weight"].type == kind


def test_a_feed_forward_tensor_of_no_layer_is_refused_where_experts_need_one() -> None:
    traits = HOUSES["qwen3moe, 12 layers, 16 experts"].traits
    for name in ("mtp.ffn_down.weight", "blk.12.ffn_down.weight"):
        with pytest.raises(QuantizeError, match="gives no layer from 0 to 11"):
            choose_types(
                [tensor(name)], traits=traits, file=file_type("Q4_K_M"), wishes=NONE, has_imatrix=False
            )


def test_parts_are_told_by_the_first_piece_of_a_name_that_is_known() -> None:
    names = {
        "output.weight": "output", "per_layer_token_embd.weight": "embedding", "blk.1.attn_qkv.weight": "value",
        "blk.1.attn_kv_b.weight": "value", "blk.1.attn_output.weight": "attention", "blk.1.ffn_up_exps.weight": "up",
        "blk.1.ffn_down_shexp.weight": "down", "blk.1.attn_q_a.weight": "other", "v.blk.3.attn_k.weight": "key",
    }  # fmt: skip
    assert {name: part_of(name) for name in names} == names


@pytest.mark.parametrize(
    ("traits", "is_70b"),
    [
        (Traits("llama", 80, heads=64, kv_heads=8), True),
        (Traits("llama", 80, heads=64, kv_heads=64), False),
        (Traits("llama", 81, nextn=1, heads=64, kv_heads=8), True),
        (Traits("llama", 80, experts=8, heads=64, kv_heads=8), False),
        (Traits("qwen2", 80, heads=64, kv_heads=64), True),
        (Traits("jais2", 68, heads=64, kv_heads=8), True),
        (Traits("qwen3", 80, heads=64, kv_heads=8), False),
    ],
)
def test_models_of_seventy_billion_weights_are_told_by_layers_and_heads(traits: Traits, is_70b: bool) -> None:
    assert traits.is_70b is is_70b


def test_types_go_by_any_case_and_medium_mixes_by_short_names() -> None:
    assert file_type("q4_k").name == "Q4_K_M" and file_type("iq4_xs").number == 30
    assert tensor_type("q8_0") == "Q8_0"
    with pytest.raises(QuantizeError, match="'Q9' is no file type"):
        file_type("Q9")
    with pytest.raises(QuantizeError, match="'IQ2_XXS' is no type that tensors can be given"):
        tensor_type("IQ2_XXS")
