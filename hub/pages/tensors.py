"""The tensors of a model: number types by bytes, a map of where the weights are, and every tensor."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from hub.accounts.identity import Viewer
from hub.catalog import tensors
from hub.catalog.lookups import DEFAULT_REVISION, locate
from hub.catalog.tensors import Contents, FileSet, Pattern, Row
from hub.pages import headers
from hub.pages.doors import page
from hub.pages.repos import shell
from hub.pages.treemap import boxes
from hub.web import repo_name, whole_number

PAGE = 200
MAP_WIDTH, MAP_HEIGHT = 960, 240
MAX_AREAS = 40
# An area narrower than its label shows none.
LETTER, LABEL_HEIGHT = 6.6, 18
CHAT_TEMPLATE = "tokenizer.chat_template"


@page
def show(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """What inspections read in the weights of a revision."""
    at = locate(viewer, repo_name(kind, repo), request.GET.get("revision", DEFAULT_REVISION)[:255])
    found = tensors.sets_in(at.repo, at.tree)
    wanted = request.GET.get("set", "")
    chosen = next((one for one in found if one.name == wanted), found[0] if found else None)
    context = {"sets": found, "chosen": chosen, "parts": tensors.PARTS}
    is_list = request.headers.get("HX-Target") == "tensor-list"
    if chosen is not None:
        context |= _contents(request, chosen, is_list=is_list)
    if not is_list:
        context |= shell(viewer, at, tab="tensors")
        return render(request, "repo/tensors.html", context)
    return render(request, "repo/tensor_list.html", context | {"repo": at.repo, "rev": at.revision, "at": at})


def _contents(request: HttpRequest, chosen: FileSet, *, is_list: bool) -> dict[str, Any]:
    contents = tensors.contents_of(chosen)
    text = request.GET.get("q", "").strip()[:200]
    rows = [row for row in contents.rows if text.casefold() in row.name.casefold()]
    every = request.GET.get("view") == "every"
    total = sum(row.size for row in contents.rows)
    shown: dict[str, Any] = {
        "q": text, "every": every, "total": total, "matching": len(rows), "count": len(contents.rows),
        "left_out": contents.left_out, "weights": sum(row.weights for row in contents.rows),
    }  # fmt: skip
    # Folding takes seconds where a hundred thousand names have nothing in common, so it is done once.
    folded = [] if every and is_list else tensors.fold(rows)
    shown |= _one_page(request, "rows", rows) if every else _one_page(request, "patterns", folded)
    if is_list:
        return shown
    types = tensors.types_of(contents.rows)
    shown["types"] = [(name, size, 100 * size / total if total else 0) for name, size in types]
    every_pattern = tensors.fold(contents.rows) if text else folded
    return shown | {"areas": _areas(every_pattern), **_metadata(contents)}


def _one_page(request: HttpRequest, name: str, found: Sequence[Row | Pattern]) -> dict[str, Any]:
    skip = whole_number(request.GET.get("skip", "")) or 0
    later = skip + PAGE if len(found) > skip + PAGE else 0
    return {name: found[skip : skip + PAGE], "skip": skip, "later": later, "earlier": max(skip - PAGE, 0)}


def _areas(found: Sequence[Pattern]) -> list[dict[str, Any]]:
    """Return the areas of the map: the largest patterns, and the rest as one."""
    patterns = sorted(found, key=lambda pattern: -pattern.weights)
    largest, rest = patterns[:MAX_AREAS], patterns[MAX_AREAS:]
    values = [float(pattern.weights) for pattern in largest] + [float(sum(one.weights for one in rest))]
    return [
        _area(box.index, largest, rest) | {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
        | {"label": _label(largest[box.index], box.width, box.height) if box.index < len(largest) else ""}
        for box in boxes(values, MAP_WIDTH, MAP_HEIGHT)
    ]  # fmt: skip


def _area(index: int, largest: list[Pattern], rest: list[Pattern]) -> dict[str, Any]:
    if index < len(largest):
        one = largest[index]
        return {"name": one.name, "part": tensors.PARTS.index(one.part), "weights": one.weights}
    return {
        "name": _("%(number)s smaller patterns") % {"number": len(rest)},
        "part": len(tensors.PARTS) - 1,
        "weights": sum(one.weights for one in rest),
    }


def _label(pattern: Pattern, width: float, height: float) -> str:
    """Return the longest ending of a name that fits its area."""
    words = pattern.name.removesuffix(".weight").split(".")
    for first in range(len(words)):
        text = ".".join(words[first:])
        if len(text) * LETTER < width - 8 and height > LABEL_HEIGHT:
            return text
    return ""


def _metadata(contents: Contents) -> dict[str, Any]:
    """Return the header's words by group, each on one line; the chat template apart."""
    rest = {key: value for key, value in contents.metadata.items() if key != CHAT_TEMPLATE}
    template = contents.metadata.get(CHAT_TEMPLATE)
    return {
        "metadata": headers.groups_of(rest), "keys": len(rest),
        "more_keys": max(len(rest) - headers.MAX_KEYS, 0),
        "chat_template": template if isinstance(template, str) else "",
    }  # fmt: skip
