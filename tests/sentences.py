"""The sentences and words that are made below the pages, found in the code that makes them.

The domain says English (see ``hub/pages/saying.py``), so nothing there is marked: what it raises for people, and what
is listed in ``WORDS``, is taken from its source.  What differs from time to time becomes a hole: ``{1}``, ``{2}``.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

BASE_DIR = Path(__file__).resolve().parent.parent
SENTENCES = BASE_DIR / "hub" / "locale" / "sentences.txt"
PLACES = ("hub/catalog", "hub/accounts", "hub/pages", "hub/web.py", "licenses")
# Whose errors only programs hear.
FOR_PROGRAMS = set(
    "batches duplicates rules search tags tickets upstream xet_pulls xet_pushes xet_tokens".split()
)
# What people are shown the message of.
RAISED = set(
    "BadRequest BadPath BadRefName BadName BadEdit BadPolicy BadAnswer BadWaiver BadExpression BadInvite TooLarge "
    "NoRoom NameTaken NotAllowed SignInNeeded NotYours NeedsReason WrongState SecondPersonNeeded StaleTerms UseRefused "
    "EntryNotFound RevisionNotFound BytesMissing BeingProven TermsHeld TooManyAtOnce TooOften StoreTrouble StaleParent "
    "MergeConflict".split()
)
# Of these files all that the named tables, classes and functions say; "*" is all tables.
WORDS = {
    "hub/accounts/models.py": "Role Kind",
    "hub/audit/acts.py": "*",
    "hub/audit/reading.py": "_unnamed",
    "hub/catalog/checkpoints.py": "_problem",
    "hub/catalog/clearances.py": "_tell",
    "hub/catalog/clearing.py": "SAYS refusal",
    "hub/catalog/commits.py": "STALE",
    "hub/catalog/conversions.py": "_known cancel",
    "hub/catalog/dashboard.py": "_who",
    "hub/catalog/desk.py": "Desk",
    "hub/catalog/deskfacts.py": "STRENGTH _USES ancestors_of",
    "hub/catalog/deskqueue.py": "SORTS SHOWN Line flags_of",
    "hub/catalog/discussions.py": "SAYS",
    "hub/catalog/documents.py": "consent_documents reference",
    "hub/catalog/edits.py": "_said",
    "hub/catalog/gating.py": "ask_access _tell",
    "hub/catalog/ggufs.py": "_problem",
    "hub/catalog/holdings.py": "settle _problem reconcile",
    "hub/catalog/integrity.py": "chain _end",
    "hub/catalog/jobs.py": "claim NAMES _tell_asker",
    "hub/catalog/lineage.py": "graph_of",
    "hub/catalog/lookups.py": "Moved",
    "hub/catalog/members.py": "set_member _RIGHTS remove_member storage_of",
    "hub/catalog/notices.py": "LOST",
    "hub/catalog/openness.py": "_checkpoints _datasets",
    "hub/catalog/panel.py": "HIDDEN",
    "hub/catalog/pulse.py": "workers",
    "hub/catalog/quotas.py": "_refusal _warn",
    "hub/catalog/reviewing.py": "_SAYS _tell",
    "hub/catalog/signals.py": "from_card from_config",
    "hub/catalog/sources.py": "choose",
    "hub/catalog/tellings.py": "proven held_up",
    "hub/catalog/tensors.py": "PARTS",
    "hub/catalog/worklists.py": "end",
    "licenses/ancestry.py": "ancestry _mislabelled _circle _unresolved Relation",
    "licenses/cards.py": "_SAYS _METRICS _EFFECTS _WINDOWS threshold_sentence _notes _unknown",
    "licenses/checklists.py": "open_items Answer",
    "licenses/duties.py": "missing_duties _text _notice _display output_duties",
    "licenses/facts.py": "text_changes",
    "licenses/findings.py": "Severity",
    "licenses/identify.py": "Catalogue _added _difference _missing _ambiguous _no_version",
    "licenses/lineage.py": (
        "_unread _relicensed _conflicts _conflict _further_limit _hosting _adapter _teachers_and_data"
    ),
    "licenses/models/decisions.py": "State Verb",
    "licenses/matches.py": "Status",
    "licenses/openness.py": "RUNG_NAMES Presence _judge",
    "licenses/policy.py": "decide Action",
    "licenses/proofs.py": "_SAYS Met",
    "licenses/reviews.py": "answer appeal suspend reinstate withdraw",
    "licenses/terms.py": "PERMISSIONS LIMITS CATEGORIES DOCUMENT_KINDS METRICS EFFECTS Value Confidence",
    "licenses/uses.py": "_where _geo _how_large _what_for",
    "licenses/versions.py": "_strings _thresholds",
    "workers/bases.py": "_watcher",
    "workers/care.py": "reread scrub sweep",
    "workers/evaluations.py": "evaluate",
    "workers/forms.py": "make_plain make_chunked",
    "workers/indexer.py": "index",
    "workers/inspect.py": "_inspected",
    "workers/quantize_job.py": "quantize _watcher _stored",
    "workers/recipes.py": "_hash_all SPOILED GONE",
    "workers/tensor_digests.py": "digest",
}
# Single words that functions say.
MORE = ("database", "display", "name", "queue", "store", "text", "workers")
# Fields of the shipped catalogue that are words for people.
SHIPPED = {"checklists.yaml": ("ask", "look"), "openness.yaml": ("title",), "policies.yaml": ("title",)}
# What so many readings of the catalogue say alike is translated; what one of them notes alone stays English.
ALIKE = 4
_HOLE = re.compile(r"\{\d\}")
# What is marked where it is raised, and expressions that search.
_ODD = re.compile(r"%\(|\\|\||\A\w+\.\Z")
_LETTERS = re.compile(r"[^\W\d_]{2}")


def _pattern(node: ast.AST) -> str | None:
    """Return a text with "{}" for its holes, None for what is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"\{\w+\}", "{}", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = _pattern(node.left), _pattern(node.right)
        return "".join("{}" if side is None else side for side in sides) if any(sides) else None
    return None


def _numbered(text: str) -> str:
    """Return a pattern with its holes numbered; holes without a word between them are one."""
    parts = re.sub(r"(?:\{\}){2,}", "{}", text).split("{}")
    return parts[0] + "".join(f"{{{at}}}{part}" for at, part in enumerate(parts[1:], start=1))


def _texts(node: ast.AST, *, words: bool) -> Iterator[str]:
    """Yield the texts within a piece of code, with ``words`` single words as well."""
    if isinstance(node, ast.Raise | ast.Compare | ast.Subscript | ast.arguments):
        return
    text = _pattern(node)
    if text is not None and _LETTERS.search(text.replace("{}", "")):
        if " " in text.strip():
            yield _numbered(text.strip())
        elif words:
            yield re.sub("[-_]", " ", text)
    body = getattr(node, "body", None)
    if (
        isinstance(body, list)
        and body
        and isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
    ):
        inner: Iterable[ast.AST] = body[1:]
    elif isinstance(node, ast.Dict):
        inner = node.values
    elif isinstance(node, ast.JoinedStr):
        inner = [one for one in node.values if isinstance(one, ast.FormattedValue)]
    else:
        inner = ast.iter_child_nodes(node)
    for one in inner:
        yield from _texts(one, words=words and not isinstance(node, ast.JoinedStr | ast.FunctionDef))


def _raised(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call) or not node.exc.args:
            continue
        if ast.unparse(node.exc.func).rpartition(".")[2] in RAISED:
            yield from _texts(node.exc.args[0], words=False)


def _names(node: ast.stmt) -> list[str]:
    targets = (
        node.targets
        if isinstance(node, ast.Assign)
        else [node.target]
        if isinstance(node, ast.AnnAssign)
        else []
    )
    return [getattr(node, "name", ""), *(ast.unparse(one) for one in targets)]


def _listed(tree: ast.Module, wanted: str) -> Iterator[str]:
    for node in ast.walk(tree):
        is_wanted = wanted == "*" and isinstance(node, ast.Assign)
        if isinstance(node, ast.stmt) and (is_wanted or set(_names(node)) & set(wanted.split())):
            yield from _texts(node, words=not isinstance(node, ast.FunctionDef))


def _found_in_files() -> Iterator[str]:
    for path in sorted((BASE_DIR / "workers" / "formats").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("error", "warn"):
                yield from (text for one in node.args for text in _texts(one, words=False))


def _shipped() -> Iterator[str]:
    for name, fields in SHIPPED.items():
        found = yaml.safe_load((BASE_DIR / "licenses" / "catalogue" / name).read_text())
        for rows in found.values() if isinstance(found, dict) else [found]:
            yield from (row[field] for row in rows for field in fields)


def _said_alike() -> Iterator[str]:
    """Yield what many readings say in the same words."""
    counts: Counter[str] = Counter()
    for path in sorted((BASE_DIR / "licenses" / "catalogue" / "families").glob("*.yaml")):
        for row in yaml.safe_load(path.read_text())["licenses"]:
            terms = {name: term for name, term in row["terms"].items() if isinstance(term, dict)}
            counts.update(str(row.get(field, "")) for field in ("source", "osaid"))
            counts.update(str(term.get("note", "")) for term in terms.values())
            counts.update(one.get("scope", "") for one in row.get("thresholds", ()))
            counts.update(terms.get("field_of_use_restrictions", {}).get("items", ()))
    yield from (text for text, count in counts.items() if count >= ALIKE and "://" not in text)


def sentences() -> list[str]:
    """Return every sentence once, in order."""
    found = {*_shipped(), *_said_alike(), *_found_in_files(), *MORE}
    for place in PLACES:
        paths = sorted((BASE_DIR / place).rglob("*.py")) if not place.endswith(".py") else [BASE_DIR / place]
        for path in paths:
            if not {"migrations", "commands"} & set(path.parts) and path.stem not in FOR_PROGRAMS:
                found |= set(_raised(ast.parse(path.read_text())))
    for name, wanted in WORDS.items():
        found |= set(_listed(ast.parse((BASE_DIR / name).read_text()), wanted))
    return sorted(text for text in found if _is_sentence(text))


def _is_sentence(text: str) -> bool:
    return "\n" not in text and not _ODD.search(text) and bool(_LETTERS.search(_HOLE.sub("", text)))


def save() -> None:
    """Write the sentences to where pages read them."""
    SENTENCES.write_text("\n".join(sentences()) + "\n", encoding="utf-8")
