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
        f"Made on this hub from [{source}](/{source}), byte for byte as `llama-quantize` makes them. The licence and "
        f"notices of {name} hold for these files too.\n\n{marked}\n\n"
        "`provenance.json` tells for each file from which bytes, by what and with which parameters it was made.\n"
    )


def table(statements: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of files; raises KeyError, TypeError or ValueError for what is no record of ours."""
    lines = ["| type | file | size | bits per weight | made from |", "|---|---|---|---|---|"]
    lines += [_line(one) for one in statements]
    return "\n".join(lines)


def _line(statement: Mapping[str, Any]) -> str:
    subjects, wish = statement["subject"], statement["predicate"]["buildDefinition"]["externalParameters"]
    size = sum(int(item["annotations"]["size"]) for item in subjects)
    weights = int(statement["predicate"]["buildDefinition"]["internalParameters"]["weights"])
    name = subjects[0]["name"] + (f" and {len(subjects) - 1} more" if len(subjects) > 1 else "")
    bits = f"{8 * size / weights:.2f}" if weights else ""
    cells = (wish["type"], f"`{name}`", _size(size), bits)
    return "| " + " | ".join(map(_cell, (*cells, f"`{wish['source']}` at `{wish['commit'][:12]}`"))) + " |"


def _size(number: int) -> str:
    scale, unit = next(((scale, unit) for scale, unit in _UNITS if number >= scale), (1, "bytes"))
    return f"{number / scale:.2f} {unit}" if scale > 1 else f"{number} {unit}"


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")
