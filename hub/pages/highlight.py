"""Colours for code, as classes: no style attribute leaves this file."""

from html import escape

from pygments import highlight as run
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.util import ClassNotFound

MAX_COLOURED = 128 * 1024
CLASS_PREFIX = "hl-"

# Lexers are regular expressions that meet hostile text: only well-worn ones are used.
_KNOWN = frozenset(
    """
    bash c c++ cpp css diff dockerfile docker go html ini java javascript js json jsonl make markdown md php powershell
    py pycon python python3 rs ruby rust sh shell sql toml ts typescript xml yaml yml zsh
    """.split()
)


def _lexer_named(name: str) -> Lexer | None:
    if name.lower() not in _KNOWN:
        return None
    try:
        return get_lexer_by_name(name.lower(), stripnl=False)
    except ClassNotFound:
        return None


def _lexer_for(filename: str) -> Lexer | None:
    try:
        lexer = get_lexer_for_filename(filename, stripnl=False)
    except ClassNotFound:
        return None
    return lexer if _KNOWN.intersection(lexer.aliases) else None


def _coloured(text: str, lexer: Lexer | None) -> str:
    if lexer is None or len(text) > MAX_COLOURED:
        return escape(text)
    html: str = run(text, lexer, HtmlFormatter(nowrap=True, classprefix=CLASS_PREFIX))
    return html


def code_html(text: str, language: str) -> str:
    """Return a fenced block's text as HTML; plain where the language is not known."""
    return _coloured(text, _lexer_named(language))


def file_html(text: str, filename: str) -> tuple[str, int]:
    """Return a file as HTML, a span with an id for each line, and the number of lines."""
    lines = _coloured(text, _lexer_for(filename)).removesuffix("\n").split("\n")
    spans = (f'<span class="ln" id="L{number}">{line}\n</span>' for number, line in enumerate(lines, 1))
    return "".join(spans), len(lines)
