"""What each kind of config.json leaves out: the defaults of its configuration class in transformers 4.57.

Published checkpoints rely on them: a Gemma 3 file names six of its sizes only.
"""

from collections.abc import Callable, Mapping
from typing import Any

Default = Callable[[Mapping[str, Any]], Any]


def heads(config: Mapping[str, Any]) -> Any:
    """As many key-value heads as heads."""
    return config.get("num_attention_heads")


def even_share(config: Mapping[str, Any]) -> Any:
    """The width of one head where the heads share the hidden size."""
    hidden, count = config.get("hidden_size"), config.get("num_attention_heads")
    return hidden // count if isinstance(hidden, int) and isinstance(count, int) and count > 0 else None


def rotary(config: Mapping[str, Any]) -> Any:
    return config.get("qk_rope_head_dim")


LLAMA: dict[str, Any] = {
    "max_position_embeddings": 2048, "hidden_size": 4096, "intermediate_size": 11008, "num_attention_heads": 32,
    "num_key_value_heads": heads, "rope_theta": 10000.0, "rms_norm_eps": 1e-6, "head_dim": even_share,
    "vocab_size": 32000, "num_hidden_layers": 32,
}  # fmt: skip
MISTRAL = LLAMA | {
    "max_position_embeddings": 131072, "intermediate_size": 14336, "num_key_value_heads": 8, "head_dim": None,
}  # fmt: skip
QWEN2 = LLAMA | {
    "max_position_embeddings": 32768, "intermediate_size": 22016, "num_key_value_heads": 32, "head_dim": None,
    "vocab_size": 151936,
}  # fmt: skip
QWEN2_MOE = QWEN2 | {
    "hidden_size": 2048, "intermediate_size": 5632, "num_attention_heads": 16, "num_key_value_heads": 16,
    "num_hidden_layers": 24, "num_experts": 60, "num_experts_per_tok": 4, "moe_intermediate_size": 1408,
    "shared_expert_intermediate_size": 5632,
}  # fmt: skip
GEMMA: dict[str, Any] = {
    "max_position_embeddings": 8192, "hidden_size": 3072, "intermediate_size": 24576, "num_attention_heads": 16,
    "num_key_value_heads": 16, "rope_theta": 10000.0, "rms_norm_eps": 1e-6, "head_dim": 256, "vocab_size": 256000,
    "num_hidden_layers": 28,
}  # fmt: skip
GEMMA2 = GEMMA | {
    "hidden_size": 2304, "intermediate_size": 9216, "num_attention_heads": 8, "num_key_value_heads": 4,
    "num_hidden_layers": 26, "sliding_window": 4096, "final_logit_softcapping": 30.0, "attn_logit_softcapping": 50.0,
}  # fmt: skip
GEMMA3 = GEMMA2 | {
    "max_position_embeddings": 131072, "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0,
    "vocab_size": 262208, "final_logit_softcapping": None, "attn_logit_softcapping": None,
}  # fmt: skip
DEEPSEEK2 = LLAMA | {
    "head_dim": rotary, "n_routed_experts": 64, "num_experts_per_tok": None, "n_group": None, "topk_group": None,
    "moe_intermediate_size": 1407, "n_shared_experts": 2, "first_k_dense_replace": 0, "routed_scaling_factor": 1.0,
    "norm_topk_prob": False, "kv_lora_rank": 512, "q_lora_rank": 1536, "qk_rope_head_dim": 64,
    "qk_nope_head_dim": 128, "v_head_dim": 128,
}  # fmt: skip

DEFAULTS: dict[str, dict[str, Any]] = {
    "llama": LLAMA,
    "mistral": MISTRAL,
    "mixtral": MISTRAL | {
        "rope_theta": 1000000.0, "rms_norm_eps": 1e-5, "num_local_experts": 8, "num_experts_per_tok": 2,
    },
    "qwen2": QWEN2,
    "qwen3": QWEN2 | {"head_dim": 128},
    "qwen2_moe": QWEN2_MOE,
    "qwen3_moe": QWEN2_MOE | {
        "intermediate_size": 6144, "num_attention_heads": 32, "num_key_value_heads": 4, "num_experts": 128,
        "num_experts_per_tok": 8, "moe_intermediate_size": 768, "shared_expert_intermediate_size": None,
    },
    "gemma": GEMMA,
    "gemma2": GEMMA2,
    "gemma3_text": GEMMA3,
    "phi3": LLAMA | {
        "max_position_embeddings": 4096, "hidden_size": 3072, "intermediate_size": 8192, "rms_norm_eps": 1e-5,
        "head_dim": None, "vocab_size": 32064, "original_max_position_embeddings": 4096, "partial_rotary_factor": 1.0,
    },
    "deepseek_v2": DEEPSEEK2,
    "deepseek_v3": DEEPSEEK2 | {
        "max_position_embeddings": 4096, "hidden_size": 7168, "intermediate_size": 18432, "num_attention_heads": 128,
        "num_key_value_heads": 128, "vocab_size": 129280, "num_hidden_layers": 61, "n_routed_experts": 256,
        "num_experts_per_tok": 8, "n_group": 8, "topk_group": 4, "moe_intermediate_size": 2048,
        "n_shared_experts": 1, "first_k_dense_replace": 3, "routed_scaling_factor": 2.5, "norm_topk_prob": True,
    },
    "bert": {
        "max_position_embeddings": 512, "hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12,
        "layer_norm_eps": 1e-12, "vocab_size": 30522, "num_hidden_layers": 12, "type_vocab_size": 2,
    },
    "llama4_text": LLAMA | {
        "max_position_embeddings": 131072, "hidden_size": 5120, "intermediate_size": 8192, "num_attention_heads": 40,
        "num_key_value_heads": 8, "rope_theta": 500000.0, "rms_norm_eps": 1e-5, "head_dim": even_share,
        "vocab_size": 202048, "num_hidden_layers": 48, "num_local_experts": 16, "num_experts_per_tok": 1,
        "interleave_moe_layer_step": 1, "intermediate_size_mlp": 16384,
    },
    "glm4": LLAMA | {
        "max_position_embeddings": 131072, "intermediate_size": 13696, "num_key_value_heads": 2,
        "rms_norm_eps": 1.5625e-7, "head_dim": 128, "vocab_size": 151552, "num_hidden_layers": 40,
        "partial_rotary_factor": 0.5,
    },
    "glm4_moe": LLAMA | {
        "max_position_embeddings": 131072, "intermediate_size": 10944, "num_attention_heads": 96,
        "num_key_value_heads": 8, "rms_norm_eps": 1e-5, "head_dim": None, "vocab_size": 151552,
        "num_hidden_layers": 46, "n_routed_experts": 128, "num_experts_per_tok": 8, "n_group": 1, "topk_group": 1,
        "partial_rotary_factor": 0.5, "moe_intermediate_size": 1408, "n_shared_experts": 1,
        "first_k_dense_replace": 1, "routed_scaling_factor": 1.0, "norm_topk_prob": True,
    },
}  # fmt: skip
# The text model's kind where a checkpoint with several models does not tell it.
TEXT_MODELS = {"gemma3": "gemma3_text", "llama4": "llama4_text", "mistral3": "mistral"}


def with_defaults(config: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The config with what its class fills in; nothing is added for a kind without a class."""
    given = dict(config)
    for key, default in DEFAULTS.get(kind, {}).items():
        if key not in given or (given[key] is None and callable(default)):
            given[key] = default(given) if callable(default) else default
    return given
