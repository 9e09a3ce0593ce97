"""PURE: what lists narrow repos by, beside their terms: format, architecture, number types, languages, base models.

They stand in one column, as ``kind:value``, so that one index answers for all of them together.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hub.catalog import memory
from hub.catalog.cards import Claims

FORMAT, ARCHITECTURE, DTYPE, LANGUAGE, BASE, FITS = KINDS = (
    "format", "architecture", "dtype", "language", "base", "fits",
)  # fmt: skip
# These are read in files, and known only once a worker has read them.
READ = (ARCHITECTURE, DTYPE, FITS)
FORMATS = ("safetensors", "gguf", "onnx")
MAX_VALUE = 200
MAX_EACH = 100
# Below this share of the weights a type is that of norms and the like.
MAIN_SHARE = 0.05
# Borders between the sizes that models come in: none lies where one rounds to it, such as 7, 8, 14, 32 or 70 billion.
STEPS = tuple(
    int(billions * 10**9) for billions in (0.05, 0.2, 0.5, 1, 2, 4, 9, 15, 25, 40, 80, 150, 500, 1000)
)


def trait(kind: str, value: str) -> str:
    """Return one entry of the column."""
    return f"{kind}:{value}"


def of_card(claims: Claims, formats: Iterable[str]) -> list[str]:
    """Return what a card claims, and the formats that the names of files tell."""
    languages = [word.lower() for word in claims.words("language")]
    return _traits({FORMAT: list(formats), LANGUAGE: languages, BASE: claims.base_models})


def of_files(facts: Mapping[str, Any], quantizations: Iterable[str], needs: Iterable[int] = ()) -> list[str]:
    """Return what was read in the files: `facts` of the commit, the types of its GGUF files, and the bytes they need.

    A repo fits every device in which the smallest of them runs, or where it has none, its checkpoint as it is stored.
    """
    config, gguf = _dict(facts.get("config")), _dict(facts.get("gguf"))
    architecture = config.get("model_type") or gguf.get("architecture") or ""
    dtypes = [*_main_types(facts), *(kind for kind in quantizations if kind)]
    method = _dict(config.get("quantization_config")).get("quant_method")
    dtypes += [method.upper()] if isinstance(method, str) else []
    stored = memory.need_of_checkpoint(facts)
    least = min(needs, default=stored.total if stored else None)
    fitting = (
        [] if least is None else [str(device) for device in memory.DEVICES if least <= device * memory.GB]
    )
    own = [architecture] if isinstance(architecture, str) else []
    return _traits({ARCHITECTURE: own, DTYPE: dtypes, FITS: fitting})


def _main_types(facts: Mapping[str, Any]) -> list[str]:
    counts = _dict(_dict(facts.get("safetensors")).get("parameters"))
    total = sum(counts.values())
    return [dtype for dtype, count in counts.items() if count >= total * MAIN_SHARE]


def _traits(values: Mapping[str, Sequence[str]]) -> list[str]:
    return [
        trait(kind, word)
        for kind, found in values.items()
        for word in dict.fromkeys(" ".join(value.replace("\x00", "").split())[:MAX_VALUE] for value in found[:MAX_EACH])
        if word
    ]  # fmt: skip


def kept(traits: Iterable[str], *, read: bool) -> list[str]:
    """Return those of a repo's traits that were read in files, or those that were not."""
    return [one for one in traits if (one.partition(":")[0] in READ) is read]


def bucket(parameters: int | None) -> int:
    """Return between which steps a size lies, 0 below the first; -1 where it is not known."""
    return -1 if parameters is None else sum(parameters >= step for step in STEPS)


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
