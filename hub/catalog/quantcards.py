"""PURE: the card of a repo of quantizations, and which files of the source go with it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

BEGIN, END = "<!-- quantizations: begin -->", "<!-- quantizations: end -->"
_UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))
# What the source's card says and the copy's must say too.
_CARRIED = ("license", "license_name", "license_link", "language", "pipeline_tag")
_NOTICE = re.compile(
    r"(?:licen[cs]es?|notices?|copying|(?:acceptable[-_ ]?)?use[-_ ]?policy)(?:[-_.][^/]*)?\Z", re.IGNORECASE
)
Quality = tuple[float | None, float | None, float | None]


def is_notice(path: str) -> bool:
    """True for a file at the root whose name says that it holds a licence, a notice or a use policy."""
    return bool(_NOTICE.match(path))


def card(
    *, source: str, claims: Mapping[str, Any], statements: Sequence[Mapping[str, Any]], before: str | None
) -> str:
    """Return the card.  Of one that stands already only the table is written anew, where its marks are left."""
    marked = f"{BEGIN}\n{table(statements)}\n{END}"
    if before is not None and before.strip():
        head, begin, rest = before.partition(BEGIN)
        _, end, tail = rest.partition(END)
        return head + marked + tail if begin and end else before
    front = {key: claims[key] for key in _CARRIED if claims.get(key)}
    front |= {
        "base_model": [source],
        "base_model_relation": "quantized",
        "library_name": "gguf",
        "tags": ["gguf"],
    }
    text = yaml.safe_dump(front, allow_unicode=True, sort_keys=False)
    name = source.rpartition("/")[2]
    return (
        f"---\n{text}---\n# Quantizations of {name}\n\n"
        f"Made on this hub from [{source}](/{source}), each weight to the bit as `llama-quantize` makes it. Licence "
        f"and notices of {name} hold for these files too.\n\n{marked}\n\n"
        "The error is the root mean square of the differences by that of the weights. "
        "`provenance.json` tells for each file from which bytes, by what and with which parameters it was made, so "
        "that others can make the same bytes.\n"
    )


def table(statements: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of files; raises KeyError, TypeError or ValueError for what is no record of ours."""
    told = [quality(one) for one in statements]
    heads = ["type", "file", "size", "bits per weight", "error", "perplexity", "KL divergence", "made from"]
    rows = [_cells(one, of) for one, of in zip(statements, told, strict=True)]
    # What was not measured of any file has no column.
    measured = [True] * 5 + [any(of[number] is not None for of in told) for number in (1, 2)] + [True]
    lines = [[head for head, shown in zip(heads, measured, strict=True) if shown]]
    lines += [[cell for cell, shown in zip(row, measured, strict=True) if shown] for row in rows]
    return "\n".join([_line(lines[0]), "|---" * len(lines[0]) + "|", *map(_line, lines[1:])])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(statement: Mapping[str, Any], told: Quality) -> list[str]:
    subjects, wish = statement["subject"], statement["predicate"]["buildDefinition"]["externalParameters"]
    size = sum(int(item["annotations"]["size"]) for item in subjects)
    weights = int(statement["predicate"]["buildDefinition"]["internalParameters"]["weights"])
    name = subjects[0]["name"] + (f" and {len(subjects) - 1} more" if len(subjects) > 1 else "")
    bits = f"{8 * size / weights:.2f}" if weights else ""
    error, perplexity, divergence = told
    cells = (
        wish["type"], f"`{name}`", _size(size), bits, "" if error is None else f"{100 * error:.2g}%",
        "" if perplexity is None else f"{perplexity:.3f}", "" if divergence is None else f"{divergence:.4f}",
        f"`{wish['source']}` at `{wish['commit'][:12]}`",
    )  # fmt: skip
    return [_cell(text) for text in cells]


def quality(statement: Mapping[str, Any]) -> Quality:
    """Return relative error, perplexity and divergence as a statement tells them, None for what it does not tell."""
    products = statement["predicate"]["runDetails"].get("byproducts") or []
    told: Mapping[str, Any] = next((one["annotations"] for one in products if one["name"] == "quality"), {})
    evaluation = told.get("evaluation") or {}
    found = (told.get("relativeError"), evaluation.get("perplexity"), evaluation.get("divergence"))
    error, perplexity, divergence = (None if number is None else float(number) for number in found)
    return error, perplexity, divergence


def _size(number: int) -> str:
    scale, unit = next(((scale, unit) for scale, unit in _UNITS if number >= scale), (1, "bytes"))
    digits = 2 if number < 9.995 * scale else 1
    return f"{number / scale:.{digits}f} {unit}" if scale > 1 else f"{number} {unit}"


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")
