"""PURE: what the inspections of a commit's files add up to.  No database, no store."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from workers.formats.findings import Inspection, clean
from workers.formats.shard_index import check_shards
from workers.formats.sniff import named_format

MAX_FINDINGS = 200
_INDEX = "model.safetensors.index.json"
_SINGLE = "model.safetensors"


class File(Protocol):
    """What is needed of a file: its path, whether it is a large one, and how far that is proven."""

    @property
    def path(self) -> str: ...

    @property
    def is_large(self) -> bool: ...

    @property
    def state(self) -> str | None: ...


def facts(
    files: Sequence[File],
    found: Mapping[str, Inspection | None],
    indexes: Mapping[str, Inspection],
    config: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the facts of a commit: findings, parameter counts by dtype, GGUF summary, architecture.

    ``complete`` is false while a file is still being proven; the facts are then written again later.
    """
    findings = [*_file_findings(found), *_index_findings(files, found, indexes)]
    told: dict[str, Any] = {
        "complete": all(file.state != "proving" for file in files if file.is_large),
        "findings": findings[:MAX_FINDINGS],
        "safetensors": _parameters(_model_files(files, found, indexes), found),
        "gguf": _gguf(found),
        "config": _config(config),
        "shape": _shape(config),
    }
    # Files are hostile: what they say may hold characters that the database does not keep.
    facts: dict[str, Any] = clean({key: value for key, value in told.items() if value is not None})
    return facts


def _file_findings(found: Mapping[str, Inspection | None]) -> list[dict[str, str]]:
    listed = []
    for path, inspection in found.items():
        if inspection is None:
            continue
        listed += [{"path": path, **finding.to_json()} for finding in inspection.findings]
        promised = named_format(path)
        known = any(finding.code == "wrong-format" for finding in inspection.findings)
        if promised is not None and inspection.format != promised and not known:
            message = f"the name promises {promised}, but the content is {inspection.format}"
            listed.append({"path": path, "code": "wrong-format", "message": message, "severity": "error"})
    return listed


def _index_findings(
    files: Sequence[File], found: Mapping[str, Inspection | None], indexes: Mapping[str, Inspection]
) -> list[dict[str, str]]:
    listed = []
    large = {file.path: file for file in files if file.is_large}
    for path, index in indexes.items():
        folder = path.rpartition("/")[0]
        names = {name: f"{folder}/{name}" if folder else name for name in set(index.weight_map.values())}
        pending = any(large[full].state == "proving" for full in names.values() if full in large)
        faults = list(index.findings)
        if not pending:
            faults += check_shards(index, {name: found.get(full) for name, full in names.items()})
        listed += [{"path": path, **fault.to_json()} for fault in faults]
    return listed


def _model_files(
    files: Sequence[File], found: Mapping[str, Inspection | None], indexes: Mapping[str, Inspection]
) -> list[str]:
    """Return the files that make up *the* model, so that variants beside it are not counted twice."""
    if _INDEX in indexes:
        return sorted(set(indexes[_INDEX].weight_map.values()))
    if _SINGLE in found:
        return [_SINGLE]
    at_root = [file.path for file in files if file.path.endswith(".safetensors") and "/" not in file.path]
    return at_root if len(at_root) == 1 else []


def _parameters(paths: Sequence[str], found: Mapping[str, Inspection | None]) -> dict[str, Any] | None:
    counts: dict[str, int] = {}
    for path in paths:
        inspection = found.get(path)
        if inspection is None or inspection.format != "safetensors" or not inspection.ok:
            return None
        for dtype, count in inspection.parameters.items():
            counts[dtype] = counts.get(dtype, 0) + count
    return {"parameters": counts, "total": sum(counts.values())} if counts else None


def _gguf(found: Mapping[str, Inspection | None]) -> dict[str, Any] | None:
    """Return the first GGUF file's summary, as the Hub's ``gguf`` field has it."""
    for _, inspection in sorted(found.items()):
        if inspection is None or inspection.format != "gguf" or not inspection.ok:
            continue
        architecture = inspection.metadata.get("general.architecture")
        told = {
            "total": inspection.total_parameters,
            "architecture": architecture,
            "context_length": inspection.metadata.get(f"{architecture}.context_length"),
            "chat_template": inspection.metadata.get("tokenizer.chat_template"),
        }
        return {key: value for key, value in told.items() if value is not None}
    return None


# What a model's size and reach are told by, and how the families call it.
_SHAPE = {
    "context_length": ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length"),
    "layers": ("num_hidden_layers", "n_layer", "num_layers"),
    "hidden_size": ("hidden_size", "n_embd", "d_model"),
    "feed_forward": ("intermediate_size", "n_inner", "ffn_dim", "d_ff"),
    "heads": ("num_attention_heads", "n_head", "num_heads"),
    "key_value_heads": ("num_key_value_heads",),
    "head_size": ("head_dim",),
    "vocabulary": ("vocab_size",),
    "experts": ("num_local_experts", "n_routed_experts", "num_experts"),
}


def _shape(config: Mapping[str, Any]) -> dict[str, int] | None:
    """Return how large a model is by its config; that of the text part where there are several."""
    inner = config.get("text_config")
    texts = [inner if isinstance(inner, dict) else {}, config]
    told = {}
    for name, keys in _SHAPE.items():
        values = (text.get(key) for text in texts for key in keys)
        found = next((value for value in values if type(value) is int and 0 < value < 2**53), None)
        if found is not None:
            told[name] = found
    return told or None


def _config(config: Mapping[str, Any]) -> dict[str, Any] | None:
    told: dict[str, Any] = {}
    architectures = config.get("architectures")
    if isinstance(architectures, list):
        told["architectures"] = [str(item)[:200] for item in architectures[:20]]
    if isinstance(config.get("model_type"), str):
        told["model_type"] = config["model_type"][:200]
    quantization = config.get("quantization_config")
    if isinstance(quantization, dict) and isinstance(quantization.get("quant_method"), str):
        told["quantization_config"] = {"quant_method": quantization["quant_method"][:100]}
    return told or None
