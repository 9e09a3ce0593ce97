"""Which tensors keep the type they came in."""

from workers.quantizing.model import SourceTensor

# Tensors whose name holds one of these are small, or hold no matrix that is multiplied with.
KEPT = (
    "_norm.weight", "ffn_gate_inp.weight", "ffn_gate_tid2eid.weight", "altup", "laurel", "per_layer_model_proj",
    "ssm_conv1d", "shortconv.conv.weight", "indexer.k_proj.weight", "indexer.q_proj.weight",
    "time_mix_first.weight", "time_mix_w0.weight", "time_mix_w1.weight", "time_mix_w2.weight",
    "time_mix_v0.weight", "time_mix_v1.weight", "time_mix_v2.weight", "time_mix_a0.weight",
    "time_mix_a1.weight", "time_mix_a2.weight", "time_mix_g1.weight", "time_mix_g2.weight",
    "time_mix_decay_w1.weight", "time_mix_decay_w2.weight", "time_mix_lerp_fused.weight", "attn_rel_b.weight",
    ".position_embd", "sam.pos_embd", "sam.neck.", "sam.net_", ".rel_pos", ".patch_embd", ".patch_merger",
    "a.rvq.codebook", "mm.a.code_embd",
)  # fmt: skip
KEPT_WHOLE = ("position_embd.weight", "token_types.weight")
KEPT_BY_ARCHITECTURE = {
    "glm5-next": (
        "hc_", "indexer.attn_q_b", "indexer.attn_k", "indexer.proj", "indexer_compressor_gate",
        "indexer_compressor_ape", "ssm_f_a.weight", "ssm_f_b.weight", "ssm_g_a.weight", "ssm_g_b.weight",
        "ssm_beta.weight", "attn_kv_a_mqa.weight", "attn_k_b.weight", "attn_v_b.weight",
    ),
}  # fmt: skip
ENDING = b"weight"


def may_quantize(tensor: SourceTensor, architecture: str, *, leave_output: bool) -> bool:
    """Whether llama-quantize would touch the tensor."""
    name = tensor.name
    kept = (*KEPT, *KEPT_BY_ARCHITECTURE.get(architecture, ()))
    return (
        len(tensor.shape) > 1
        and _ends_in_weight(name.encode())
        and name not in KEPT_WHOLE
        and not (leave_output and name == "output.weight")
        and not any(piece in name for piece in kept)
    )


def _ends_in_weight(name: bytes) -> bool:
    """llama-quantize compares positions, so a name one byte shorter than the ending passes too."""
    return name.endswith(ENDING) or len(name) == len(ENDING) - 1
