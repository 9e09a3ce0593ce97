"""What a job was asked and what came of it, in words: no key of a program is shown as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hub.catalog.models import Job
from hub.pages.addresses import rev_url
from hub.pages.languages import numeral
from hub.pages.saying import listed, said
from hub.pages.templatetags.house import short, size

MAX_FILES = 200
_ASKED: dict[str, Promise] = {
    "types": gettext_lazy("Types"), "path": gettext_lazy("Made from"), "imatrix": gettext_lazy("Importance matrix"),
    "evaluate": gettext_lazy("Evaluation"), "commit": gettext_lazy("At commit"), "sha256": gettext_lazy("SHA-256"),
    "size": gettext_lazy("Size"), "bytes": gettext_lazy("Size"),
}  # fmt: skip
_FOUND: dict[str, Promise] = {
    "state": gettext_lazy("Found"), "outcome": gettext_lazy("Found"), "findings": gettext_lazy("Remarks"),
    "tensors": gettext_lazy("Tensors"), "checked": gettext_lazy("Looked at"), "damaged": gettext_lazy("Damaged"),
}  # fmt: skip
_BYTES = ("size", "bytes")


@dataclass(frozen=True, slots=True)
class Fact:
    """One line: what, its text, where it leads, and whether it is something to copy."""

    name: str
    text: str
    url: str = ""
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """One file that came of a job."""

    path: str
    url: str
    size: int
    sha256: str
    error: float | None


def asked_of(job: Job) -> list[Fact]:
    """Return what a job was asked."""
    return [
        _fact(job, key, str(name), job.payload[key])
        for key, name in _ASKED.items() if job.payload.get(key) not in (None, "", [])
    ]  # fmt: skip


def found_by(job: Job) -> list[Fact]:
    """Return what a job that is done found or made, without its files and warnings."""
    if job.state != Job.State.DONE:
        return []
    result, into = job.result, job.result.get("repository")
    told = [
        _fact(job, key, str(name), result[key]) for key, name in _FOUND.items() if _is_plain(result.get(key))
    ]
    if isinstance(into, str):
        told.append(Fact(_("Made in"), into, f"/{quote(into)}"))
        if isinstance(result.get("commit"), str):
            told.append(
                Fact(
                    _("Its commit"),
                    short(result["commit"]),
                    f"/{quote(into)}/commit/{result['commit']}",
                    is_code=True,
                )
            )
    return told


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int) and value != ""


def _fact(job: Job, key: str, name: str, value: Any) -> Fact:
    match key:
        case "commit" if job.repo is not None:
            return Fact(name, short(value), rev_url(job.repo, "commit", value), is_code=True)
        case "path" if job.repo is not None and job.payload.get("commit"):
            return Fact(name, value, rev_url(job.repo, "blob", job.payload["commit"], value), is_code=True)
        case "types":
            return Fact(name, listed([str(one) for one in value]))
    if key in _BYTES:
        return Fact(name, size(value))
    text = numeral(f"{value:,}") if isinstance(value, int) else str(value)
    return (
        Fact(name, text, is_code=True)
        if key in ("sha256", "path", "imatrix", "commit")
        else Fact(name, said(text))
    )


def files_of(job: Job) -> list[Made]:
    """Return the files that came of a job, with the error of their weights where it was measured."""
    into, found = job.result.get("repository"), job.result.get("files")
    if not isinstance(into, str) or not isinstance(found, list):
        return []
    return [_made(into, one) for one in found[:MAX_FILES] if isinstance(one, Mapping)]


def _made(into: str, one: Mapping[str, Any]) -> Made:
    path, error = str(one.get("path", "")), one.get("relativeError")
    return Made(
        path, f"/{quote(into)}/blob/main/{quote(path)}", int(one.get("size") or 0), str(one.get("sha256", "")),
        error if isinstance(error, float) else None,
    )  # fmt: skip


def warnings_of(job: Job) -> list[str]:
    """Return what a job has to say beside its result."""
    found = job.result.get("warnings") or job.result.get("problems")
    return [str(one) for one in found] if isinstance(found, list) else []
