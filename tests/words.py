"""The texts of pages and their translations: found in templates and Python, kept in ``hub/locale``."""

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from tests import sentences

BASE_DIR = Path(__file__).resolve().parent.parent
LOCALE = BASE_DIR / "hub" / "locale"
LANGUAGES = ("de",)
ROOMS = ("hub", "licenses", "storage", "workers")
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_noop": None, "gettext_lazy": None, "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2), "npgettext_lazy": ((1, "c"), 2, 3),
}  # fmt: skip
# What changes with every run, and what nobody here is called.
HEADERS_LEFT_OUT = (
    "POT-Creation-Date", "PO-Revision-Date", "Generated-By", "Last-Translator", "Language-Team", "Report-Msgid",
    "Project-Id-Version",
)  # fmt: skip


def po_file(language: str) -> Path:
    """Return where the translations into a language lie."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def sources() -> Iterator[tuple[Path, str]]:
    """Yield every file with texts, as Python: of a template all but its texts is blanked out."""
    for room in ROOMS:
        for path in sorted((BASE_DIR / room).rglob("*.py")):
            python = path.read_text()
            if "migrations" not in path.parts and any(word in python for word in ("gettext", "N_(")):
                yield path, python
    for path in sorted((BASE_DIR / "templates").rglob("*.*")):
        if path.suffix in (".html", ".txt"):
            # Within brackets Python does not mind how lines are indented.
            yield path, f"({templatize(path.read_text(), origin=str(path))}\n)"


def found() -> Catalog:
    """Return all texts that are marked for translation."""
    catalog = Catalog(fuzzy=False)
    for path, python in sources():
        calls = extract(
            "python", io.BytesIO(python.encode()), KEYWORDS, ("Translators:",), {"encoding": "utf-8"}, True
        )
        try:
            for _, text, comments, context in calls:
                catalog.add(text, auto_comments=comments, context=context)
        except (SyntaxError, ValueError) as error:
            raise SystemExit(f"{path}: {error}") from error
    for text in sentences.sentences():
        catalog.add(text)
    return catalog


def load(language: str) -> Catalog:
    """Return the translations into a language."""
    with po_file(language).open("rb") as file:
        catalog = read_po(file, locale=language)
    # Compiled twice, the same texts are the same bytes.
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    return catalog


def save(catalog: Catalog, language: str) -> None:
    """Write translations for people, sorted and without times and places, and as Django reads them."""
    written, compiled = io.BytesIO(), io.BytesIO()
    write_po(written, catalog, width=120, sort_output=True, no_location=True, ignore_obsolete=True)
    noise = tuple(f'"{name}'.encode() for name in HEADERS_LEFT_OUT)
    lines = [line for line in written.getvalue().splitlines(keepends=True) if not line.startswith(noise)]
    po_file(language).write_bytes(b"".join(lines))
    write_mo(compiled, load(language))
    po_file(language).with_suffix(".mo").write_bytes(compiled.getvalue())


def is_missing(message: Message) -> bool:
    """True for a text that has no translation, or lacks one of its plurals."""
    texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return bool(message.id) and not all(texts)


def main() -> None:
    """Bring every language up to date with the texts that are there, and say what is not translated."""
    texts = found()
    sentences.save()
    for language in LANGUAGES:
        catalog = load(language)
        catalog.update(texts, no_fuzzy_matching=True)
        save(catalog, language)
        missing = [message.id for message in catalog if is_missing(message)]
        sys.stdout.write(f"{language}: {len(catalog)} texts, {len(missing)} to translate\n")


if __name__ == "__main__":
    main()
