"""Metadata that most families share, in the order of the reference."""

from collections.abc import Mapping
from typing import Any

import gguf
import yaml

from workers.converting.documents import MAX_CARD, optional_object, read_bytes
from workers.converting.errors import ConvertError
from workers.converting.plan import OUTPUTS, Planned, Work
from workers.formats.added_metadata import Metadata, merged, typed

GATES = {"softmax": gguf.ExpertGatingFuncType.SOFTMAX, "sigmoid": gguf.ExpertGatingFuncType.SIGMOID}
POOLINGS = {
    "mean": gguf.PoolingType.MEAN,
    "cls": gguf.PoolingType.CLS,
    "lasttoken": gguf.PoolingType.LAST,
}
# What the gguf package's readers raise at files they did not expect.
FAULTS = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    RecursionError,
    OSError,
    yaml.YAMLError,
)


class Keys(gguf.GGUFWriter):
    """Collects metadata; a key written twice keeps its place and takes the new value."""

    def add_key_value(
        self, key: str, val: Any, vtype: gguf.GGUFValueType, sub_type: gguf.GGUFValueType | None = None
    ) -> None:
        self.kv_data[0][key] = gguf.GGUFValue(value=val, type=vtype, sub_type=sub_type)


def add_general(work: Work, tensors: list[Planned]) -> None:
    """Name, licence, origin: from the card, the config and the folder's name, as the gguf package guesses them."""
    for planned in tensors:
        work.keys.add_tensor_info(planned.name, planned.shape, "float32", 0, gguf.GGMLQuantizationType.F32)  # type: ignore[arg-type]
    total, shared, expert, count = work.keys.get_total_parameter_count()
    work.keys.tensors = [{}]
    card = work.folder / "README.md"
    if card.is_file():
        read_bytes(card, MAX_CARD)
    try:
        told = gguf.Metadata.load(None, work.folder, None, total)
    except FAULTS as error:
        raise ConvertError(f"{card}: the card or a config beside it is not as expected: {error!r}") from error
    if told.name is None:
        told.name = work.folder.name
    if told.size_label is None and total > 0:
        told.size_label = gguf.size_label(total, shared, expert, count)
    if told.sampling_penalty_repeat is None:
        generation = optional_object(work.folder / "generation_config.json")
        told.sampling_penalty_repeat = generation.get("repetition_penalty")
    work.keys.add_type(gguf.GGUFType.MODEL)
    told.set_gguf_meta_model(work.keys)


def add_metadata(keys: gguf.GGUFWriter, metadata: Metadata) -> None:
    """Put what the caller tells beside what the checkpoint tells; raises ConvertError for what no header holds."""
    try:
        told = typed(metadata)
    except ValueError as error:
        raise ConvertError(str(error)) from error
    kinds = gguf.GGUFValueType
    added = {
        key: gguf.GGUFValue(
            value=it.value, type=kinds(it.kind), sub_type=None if it.inner is None else kinds(it.inner)
        )
        for key, it in told.items()
    }
    keys.kv_data[0] = dict(merged(keys.kv_data[0].items(), added))


def add_common(work: Work) -> None:
    """The sizes, the rotary settings and the experts of a family that has nothing special."""
    told, keys = work.settings, work.keys
    keys.add_block_count(work.blocks)
    keys.add_context_length(told.whole("max_position_embeddings"))
    keys.add_embedding_length(told.whole("hidden_size"))
    keys.add_feed_forward_length(told.whole("intermediate_size"))
    keys.add_head_count(told.heads)
    if (heads := told.maybe_whole("num_key_value_heads")) is not None:
        keys.add_head_count_kv(heads)
    if told.get("is_causal") is False:
        keys.add_causal_attention(False)
    add_rope(work)
    if (eps := told.maybe_number("rms_norm_eps")) is not None:
        keys.add_layer_norm_rms_eps(eps)
    if (eps := told.maybe_number("layer_norm_eps")) is not None:
        keys.add_layer_norm_eps(eps)
    add_experts(work)
    if (size := told.maybe_whole("head_dim")) is not None:
        keys.add_key_length(size)
        keys.add_value_length(size)
    add_file_type(work)


def add_file_type(work: Work) -> None:
    work.keys.add_file_type(OUTPUTS[work.output])


def add_rope(work: Work) -> None:
    """Scaling by a known rule, then the base; what other families do with a rule is in their modules."""
    told, keys = work.settings, work.keys
    factor = told.rope_number("factor")
    if told.rope_type == "linear" and factor is not None:
        keys.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        keys.add_rope_scaling_factor(factor)
    elif told.rope_type == "yarn" and factor is not None:
        keys.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        keys.add_rope_scaling_factor(factor)
        _add_yarn(work)
    elif told.rope_type not in ("", "default", "llama3", "yarn", "linear"):
        raise told.fault("rope_scaling.rope_type", told.rope_type, "linear, yarn or llama3 in this family")
    if (base := told.rope_number("rope_theta")) is not None:
        keys.add_rope_freq_base(base)
    local = told.rope.get("sliding_attention")
    if isinstance(local, Mapping) and local.get("rope_theta") is not None:
        keys.add_rope_freq_base_swa(told.as_number("rope_local_base_freq", local["rope_theta"]) or 0.0)


def _add_yarn(work: Work) -> None:
    told, keys = work.settings, work.keys
    original = told.global_rope.get("original_max_position_embeddings")
    if type(original) is not int or original < 1:
        raise told.fault(
            "rope_scaling.original_max_position_embeddings", original, "a whole number above zero"
        )
    keys.add_rope_scaling_orig_ctx_len(original)
    for names, add in (
        (("extrapolation_factor",), keys.add_rope_scaling_yarn_ext_factor),
        (("attention_factor", "attn_factor"), keys.add_rope_scaling_yarn_attn_factor),
        (("beta_fast",), keys.add_rope_scaling_yarn_beta_fast),
        (("beta_slow",), keys.add_rope_scaling_yarn_beta_slow),
    ):
        name = next((name for name in names if name in told.global_rope), names[0])
        if (value := told.rope_number(name)) is not None:
            add(value)


def add_experts(work: Work) -> None:
    told, keys = work.settings, work.keys
    for names, add in (
        (("num_local_experts", "num_experts", "n_routed_experts"), keys.add_expert_count),
        (("num_experts_per_tok", "num_experts_per_token"), keys.add_expert_used_count),
        (("n_group",), keys.add_expert_group_count),
        (("topk_group",), keys.add_expert_group_used_count),
    ):
        if (value := told.maybe_whole(*names)) is not None:
            add(value)
    if (gate := told.get("scoring_func")) is not None:
        if gate not in GATES:
            raise told.fault("scoring_func", gate, "softmax or sigmoid")
        keys.add_expert_gating_func(GATES[gate])


def add_pooling(work: Work) -> None:
    """How sentence-transformers pools, where the folder has its modules.json."""
    path = work.folder / "modules.json"
    if not path.is_file():
        return
    try:
        modules = yaml.safe_load(read_bytes(path, MAX_CARD))
        folder = next((module["path"] for module in modules if module["type"].endswith("Pooling")), None)
    except FAULTS as error:
        raise ConvertError(f"{path}: lists no modules: {error!r}") from error
    if folder is not None:
        work.keys.add_pooling_type(_pooling(work, str(folder)))


def _pooling(work: Work, folder: str) -> gguf.PoolingType:
    path = work.folder / folder / "config.json"
    if not path.resolve().is_relative_to(work.folder.resolve()):
        raise ConvertError(f"{work.folder / 'modules.json'}: {folder!r} lies outside the checkpoint")
    told = optional_object(path)
    for name in ("mean", "cls", "lasttoken"):
        if told.get(f"pooling_mode_{name}{'' if name == 'lasttoken' else '_token' + 's' * (name == 'mean')}"):
            return POOLINGS[name]
    if told.get("pooling_mode") in POOLINGS:
        return POOLINGS[told["pooling_mode"]]
    raise ConvertError(f"{path}: pools neither by mean, cls nor last token; GGUF knows no other way")
