"""The NOTICE of a set of models: what the viewer may see of each, its line of descent, and the texts it lies under."""

from collections.abc import Iterator, Mapping, Sequence

from hub.accounts.identity import Viewer
from hub.catalog.desktexts import Text as OwnText
from hub.catalog.errors import BadRequest, RepoNotFound
from hub.catalog.lookups import find_repo
from hub.catalog.models import Repo
from hub.catalog.names import RepoName
from hub.catalog.panel import Panel, panel_of
from licenses.expressions import all_of
from licenses.matches import Detection
from licenses.models import Document, License
from licenses.noticefile import Item, Text, compose, copyright_lines
from licenses.proofs import is_notice
from licenses.readings import readings_of
from licenses.terms import Reading

MAX_MODELS = 50


def notice_of(viewer: Viewer, names: Sequence[RepoName], *, hub: str) -> str:
    """Return the notice of these repos; raises RepoNotFound for one that the viewer may not see, and BadRequest."""
    wanted = list(dict.fromkeys(names))
    if not wanted:
        raise BadRequest("Name at least one model, as in ?model=namespace/name.")
    if len(wanted) > MAX_MODELS:
        raise BadRequest(f"At most {MAX_MODELS} models go into one notice.")
    return compose([item_of(viewer, _found(viewer, name)) for name in wanted], hub=hub)


def _found(viewer: Viewer, name: RepoName) -> Repo:
    try:
        return find_repo(viewer, name)
    except RepoNotFound:
        raise RepoNotFound(f"Repository not found: {name.full}") from None


def item_of(viewer: Viewer, repo: Repo) -> Item:
    """Return what one repo brings along; the words of its own files only for those who may have them."""
    panel = panel_of(viewer, repo)
    ids = panel.lineage.use_licenses or ((repo.license,) if repo.license else ())
    readings = (
        panel.readings if panel.lineage.use_licenses else readings_of(License.objects.filter(slug__in=ids))
    )
    # Files that state terms are part of what everyone reads before they agree.
    own = panel.texts
    words = {text.path: text.words for text in own}
    known = [one for one in ids if one in readings]
    return Item(
        name=repo.full_name, commit=panel.case.commit if panel.case else repo.head,
        expression=all_of(known, readings) if known else "",
        settled=bool(panel.case and repo.concluded),
        readings=[readings[one] for one in known], unread=[one for one in ids if one not in readings],
        ancestors=list(_ancestors(panel)), copyrights=copyright_lines(words.values()),
        carried=[Text(text.path, text.sha256, text.words) for text in own if is_notice(text.path) and text.words],
        texts=list(_texts(ids, readings, own, panel.detected)),
    )  # fmt: skip


def _ancestors(panel: Panel) -> Iterator[str]:
    licenses = {str(node["key"]): node.get("licenses") for node in panel.graph["nodes"]}
    names = {str(node["key"]): str(node.get("name") or node["key"]) for node in panel.graph["nodes"]}
    for edge in panel.graph["edges"]:
        parent, child = str(edge["parent"]), str(edge["child"])
        under = ", ".join(licenses.get(parent) or ()) or "licence not known"
        whose = "" if child == panel.repo.full_name else f", of which comes {names.get(child, child)}"
        yield f"{names.get(parent, parent)} ({str(edge['relation']).replace('_', ' ')}; {under}){whose}"


def _texts(
    ids: Sequence[str], known: Mapping[str, Reading], own: Sequence[OwnText], found: Mapping[str, Detection]
) -> Iterator[Text]:
    """Yield each license's text: as it lies beside the model, with its own copyright lines, else the one known here."""
    beside: dict[str, OwnText] = {}
    for text in own:
        for license_id in found[text.path].licenses if text.path in found else ():
            beside.setdefault(license_id, text)
    rows = Document.objects.filter(license__slug__in=ids, kind__in=["license", "use-policy", "notice"])
    canonical: dict[tuple[str, str], Document] = {}
    for row in rows.select_related("license").order_by("-version", "pk"):
        canonical.setdefault((row.license.slug, row.kind), row)
    for license_id in ids:
        name = known[license_id].name if license_id in known else license_id
        if license_id in beside:
            text = beside[license_id]
            yield Text(f"{name} ({text.path})", text.sha256, text.words)
        for (slug, kind), row in canonical.items():
            if slug == license_id and not (kind == "license" and license_id in beside):
                yield Text(f"{name}, {kind.replace('-', ' ')}", row.sha256, row.text)
