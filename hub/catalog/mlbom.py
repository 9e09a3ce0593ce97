"""A model as a CycloneDX 1.6 bill of materials: its terms, its files by hash, its ancestors, its card.

https://cyclonedx.org/docs/1.6/json/ .  Ids of licenses are SPDX's or a ``LicenseRef-`` of our own, so that every tool
reads them.  The same commit on the same terms gives the same bill, but for its time.
"""

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from hub.accounts.identity import Viewer
from hub.catalog.cards import Claims
from hub.catalog.lookups import Located
from hub.catalog.models import RepoBlob
from hub.catalog.panel import Panel, panel_of
from hub.catalog.trees import files
from licenses.expressions import all_of
from licenses.identifiers import known_licenses

Json = dict[str, Any]
SPEC = "1.6"
MAX_FILES = 5_000
MAX_TEXT = 2_000
_SPACE = uuid.UUID("7f4c8f50-4f0e-5e53-9a5e-3a1d5f0e6b11")


def mlbom(viewer: Viewer, at: Located, *, base: str) -> Json:
    """Return the bill of a model at the tip of main, as far as the viewer may read it."""
    panel = panel_of(viewer, at.repo)
    name, ref = at.repo.full_name, _purl(at.repo.full_name, at.commit)
    told = f"{base}/{name}@{at.commit} {panel.case.pk if panel.case else ''} {panel.lineage.effective_use}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, told)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {"components": [{"type": "application", "name": "Weighhouse"}]},
            "component": _model(panel, at, base, ref),
        },
        "components": [*_files(at, base), *_data(panel, at)],
        "dependencies": [{"ref": ref, "dependsOn": [_data_ref(name) for name in _datasets(at)]}],
    }


def _model(panel: Panel, at: Located, base: str, ref: str) -> Json:
    repo = at.repo
    found: Json = {
        "type": "machine-learning-model", "bom-ref": ref, "group": repo.namespace.name, "name": repo.name,
        "version": at.commit, "purl": ref, "supplier": {"name": repo.namespace.name},
        "modelCard": _card(panel, at), "externalReferences": _references(panel, at, base),
        "properties": list(_properties(panel, at)),
    }  # fmt: skip
    if licenses := _licenses(panel, at):
        found["licenses"] = licenses
    if ancestors := list(_ancestors(panel)):
        found["pedigree"] = {"ancestors": ancestors}
    return found


def _licenses(panel: Panel, at: Located) -> list[Json]:
    """Return the expression that binds its use, as concluded; else what the card declares, as declared."""
    if panel.case and panel.lineage.effective_use not in ("", "NOASSERTION"):
        return [{"expression": panel.lineage.effective_use, "acknowledgement": "concluded"}]
    named = Claims(data=at.card).word("license").lower()
    entry = known_licenses().get(named)
    if not named:
        return []
    spdx = entry.spdx if entry else ""
    one = {"id": spdx} if spdx else {"name": named}
    return [{"license": {**one, "acknowledgement": "declared"}}]


def _ancestors(panel: Panel) -> Iterator[Json]:
    """Yield what the model came from, nearest first; data sets are components of their own."""
    via = {str(edge["parent"]): edge for edge in reversed(panel.graph["edges"])}
    for node in panel.graph["nodes"]:
        key = str(node["key"])
        edge = via.get(key)
        if edge is None or edge["relation"] == "dataset":
            continue
        name = str(node.get("name") or key)
        found: Json = {
            "type": "machine-learning-model", "name": name,
            "properties": [_property("relation", edge["relation"]), _property("evidence", edge["evidence"])],
        }  # fmt: skip
        known = [one for one in node.get("licenses") or () if one in panel.readings]
        if known:
            expression = all_of(known, panel.readings)
            found["licenses"] = [{"expression": expression, "acknowledgement": "concluded"}]
        if not node.get("hidden") and "/" in name:
            found["purl"] = _purl(name)
        yield found


def _card(panel: Panel, at: Located) -> Json:
    claims, facts = Claims(data=at.card), at.facts
    config, gguf = facts.get("config") or {}, facts.get("gguf") or {}
    parameters: Json = {}
    if task := claims.word("pipeline_tag"):
        parameters["task"] = task
    if family := str(config.get("model_type") or gguf.get("architecture") or ""):
        parameters["architectureFamily"] = family
    if names := config.get("architectures"):
        parameters["modelArchitecture"] = str(names[0])
    if names := _datasets(at):
        parameters["datasets"] = [{"ref": _data_ref(name)} for name in names]
    card: Json = {"modelParameters": parameters}
    if limits := _limits(panel):
        card["considerations"] = {"technicalLimitations": limits}
    return card


def _limits(panel: Panel) -> list[str]:
    """Return what stands in the way of releasing it, or nothing."""
    return [one.message[:MAX_TEXT] for one in panel.holding]


def _references(panel: Panel, at: Located, base: str) -> list[Json]:
    page = f"{base}/{at.repo.full_name}"
    found = [
        {"type": "vcs", "url": page}, {"type": "license", "url": f"{page}/license"},
        {"type": "documentation", "url": f"{page}/blob/{at.commit}/README.md"},
    ]  # fmt: skip
    found += [{"type": "license", "url": one.url} for one in panel.binding if one.url.startswith("https://")]
    return [one for at_, one in enumerate(found) if one not in found[:at_]]


def _properties(panel: Panel, at: Located) -> Iterator[Json]:
    repo = at.repo
    yield _property("clearance", repo.clearance)
    if repo.parameters:
        yield _property("parameters", repo.parameters)
    if panel.case:
        yield _property("declared", ", ".join(panel.case.declared.get("raw", ())))
        yield _property(
            "detected",
            ", ".join(sorted({one for found in panel.detected.values() for one in found.licenses})),
        )
        yield _property("concluded", panel.case.concluded)
    if panel.openness:
        yield _property("openness", panel.openness.words)
    for duty in panel.duties:
        yield _property(f"duty:{duty.duty.kind}", f"{duty.says}: {duty.state}")


def _property(name: str, value: object) -> Json:
    return {"name": f"weighhouse:{name}", "value": str(value)[:MAX_TEXT]}


def _files(at: Located, base: str) -> Iterator[Json]:
    """Yield the large files that are proven, each with the sha256 that this hub computed, and its place."""
    count = 0
    for entry in files(at.repo, at.tree):
        if not entry.is_large or entry.state != RepoBlob.State.PROVEN:
            continue
        count += 1
        if count > MAX_FILES:
            return
        url = f"{base}/{at.repo.full_name}/resolve/{at.commit}/{quote(entry.path)}"
        yield {
            "type": "file", "bom-ref": f"file:{entry.path}", "name": entry.path,
            "hashes": [{"alg": "SHA-256", "content": entry.sha256}],
            "externalReferences": [{"type": "distribution", "url": url}],
            "properties": [_property("bytes", entry.size)],
        }  # fmt: skip


def _datasets(at: Located) -> list[str]:
    return list(dict.fromkeys(Claims(data=at.card).words("datasets")))[:100]


def _data(panel: Panel, at: Located) -> Iterator[Json]:
    nodes: Mapping[str, Any] = {str(node["key"]).lower(): node for node in panel.graph["nodes"]}
    for name in _datasets(at):
        node = nodes.get(f"datasets/{name.lower()}") or {}
        found: Json = {
            "type": "data",
            "bom-ref": _data_ref(name),
            "name": name,
            "data": [{"type": "dataset", "name": name}],
        }
        known = [one for one in node.get("licenses") or () if one in panel.readings]
        if known:
            found["licenses"] = [
                {"expression": all_of(known, panel.readings), "acknowledgement": "concluded"}
            ]
        yield found


def _data_ref(name: str) -> str:
    return f"dataset:{name}"


def _purl(name: str, commit: str = "") -> str:
    """Return the package URL of a model (type ``huggingface``: the same ids and the same protocol)."""
    namespace, _, last = name.rpartition("/")
    path = "/".join(quote(part, safe="") for part in (namespace, last) if part)
    return f"pkg:huggingface/{path}" + (f"@{commit}" if commit else "")
