"""Colours for code, as classes: no style attribute leaves this file.

The text is hostile, and the regular expressions of general highlighters take minutes for the wrong few kilobytes.
What is coloured here are comments, strings, numbers and keywords, by one scanner per family of languages.  It takes
time in proportion to the text, by its form: each alternative begins with other characters than the next one, gives
back nothing that it took, and takes what is never closed up to the end, so no character is looked at again.
"""

import re
from dataclasses import dataclass
from html import escape
from typing import Any

MAX_COLOURED = 128 * 1024
CLASS_PREFIX = "hl-"

_NUMBER = r"(?P<mi>(?<![\w.])\d[\w.]*+)"
_WORD = r"(?P<word>[^\W\d][\w]*+)"
_STRING = r'(?P<s>"(?:[^"\\\n]|\\[^\n])*+"?|\'(?:[^\'\\\n]|\\[^\n])*+\'?)'
_DOUBLE = r'(?P<s>"(?:[^"\\\n]|\\[^\n])*+"?)'
_HASH = r"(?P<c1>\#[^\n]*+)"
_SLASHES = r"(?P<c>//[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?)"
_TRIPLE = "|".join(rf"{q}{{3}}(?:[^{q}\\]|\\[\s\S]|{q}(?!{q}{q}))*+(?:{q}{{3}})?" for q in ('"', "'"))
_TICKS = r"(?P<sb>`(?:[^`\\]|\\[\s\S])*+`?)"


@dataclass(frozen=True, slots=True)
class _Language:
    scanner: re.Pattern[str]
    words: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()


def _language(*alternatives: str, words: str = "", imports: str = "", flags: int = 0) -> _Language:
    scanner = re.compile("|".join(alternatives), flags)
    return _Language(scanner, frozenset(words.split()), frozenset(imports.split()))


_LITERALS = "true false null none nil True False None NULL undefined"
_C_WORDS = """
    abstract as async auto await bool boolean break case catch char class const constexpr continue crate def default
    delete do double else enum export extends extern final finally float fn for func function go if impl implements in
    inline instanceof int interface let long loop match mod move mut namespace new operator override package private
    protected pub public ref return select self short signed sizeof static struct super switch template this throw trait
    try type typedef typename typeof union unsafe unsigned using var virtual void volatile where while with yield
"""
_PYTHON = _language(
    _HASH, rf"(?P<sd>{_TRIPLE})", _STRING, r"(?P<nd>@[\w.]++)", _NUMBER, _WORD,
    words="and as assert async await break class continue def del elif else except finally for global if in is lambda "
    "match nonlocal not or pass raise return try while with yield " + _LITERALS,
    imports="import from",
)  # fmt: skip
# Ports and sizes in commands are no more than words.
_SHELL = _language(
    r"(?P<c1>(?<!\S)\#[^\n]*+)", r'(?P<s>"(?:[^"\\]|\\[\s\S])*+"?|\'[^\']*+\'?)', r"(?P<nv>\$\w++)", r"(?P<word>\w++)",
    words="case do done elif else esac export fi for function if in local return then until while",
)  # fmt: skip
_BRACES = _language(
    _SLASHES,
    _STRING,
    _TICKS,
    _NUMBER,
    _WORD,
    words=_C_WORDS + _LITERALS,
    imports="import include use require",
)
_C = _language(
    r"(?P<cp>^\#[^\n]*+)", _SLASHES, _STRING, _NUMBER, _WORD, words=_C_WORDS + _LITERALS, flags=re.M
)
_CONFIG = _language(
    r"(?P<c1>(?<!\S)[\#;][^\n]*+)", rf"(?P<sd>{_TRIPLE})", _STRING, r"(?P<k>^\[[^\n]*+)",
    r"(?P<nt>^(?:[ ]|-[ ])*+[\w.\-]++(?=[ ]?[:=]))", _NUMBER, _WORD, words=_LITERALS + " yes no on off", flags=re.M,
)  # fmt: skip
_JSON = _language(r'(?P<nt>"(?:[^"\\\n]|\\[^\n])*+"(?=:))', _DOUBLE, _NUMBER, _WORD, words=_LITERALS)
_SQL = _language(
    r"(?P<c1>--[^\n]*+)", _SLASHES, _STRING, _NUMBER, _WORD,
    words="and as asc by case create delete desc distinct drop else end exists from group having in index insert "
    "into is join left like limit not null on or order primary select set table then union update values view when "
    "where with",
)  # fmt: skip
_MARKUP = _language(r"(?P<c><!--(?:[^-]|-(?!->))*+(?:-->)?)", r"(?P<nt></?[\w:\-]++|/?>)", _DOUBLE)
_DIFF = _language(
    r"(?P<gh>^(?:diff|index|---|\+\+\+)[^\n]*+)|(?P<gu>^@@[^\n]*+)|(?P<gd>^-[^\n]*+)|(?P<gi>^\+[^\n]*+)",
    flags=re.M,
)
_HASHED = _language(
    _HASH, _STRING, _NUMBER, _WORD,
    words="FROM RUN CMD COPY ADD ENV ARG WORKDIR EXPOSE USER ENTRYPOINT VOLUME LABEL begin break case class "
    "def do else elsif end ensure for if in include module next rescue require return self then unless until when "
    "while yield " + _LITERALS,
)  # fmt: skip

# Names of fenced blocks and endings of files, which are the same words more often than not.
_NAMES = {
    "python py python3 pycon pyi": _PYTHON,
    "bash sh shell zsh console": _SHELL,
    "c h cpp c++ cc cxx hpp cu cuh": _C,
    "css go golang java javascript js jsx mjs kotlin kt php rust rs swift typescript ts tsx": _BRACES,
    "cfg conf ini toml yaml yml": _CONFIG,
    "json jsonl json5 ipynb": _JSON,
    "sql": _SQL,
    "html htm xml svg": _MARKUP,
    "diff patch": _DIFF,
    "docker dockerfile make makefile mk rb ruby": _HASHED,
}
_LANGUAGES = {name: language for names, language in _NAMES.items() for name in names.split()}


def _language_of(filename: str) -> _Language | None:
    return _LANGUAGES.get(filename.rpartition("/")[2].rpartition(".")[2].lower())


def _class_of(language: _Language, kind: str, text: str) -> str:
    if kind != "word":
        return kind
    word = text.lower() if language is _SQL else text
    return "k" if word in language.words else "kn" if word in language.imports else ""


def _coloured(text: str, language: _Language | None) -> str:
    if language is None or len(text) > MAX_COLOURED:
        return escape(text)
    pieces, done = [], 0
    for match in language.scanner.finditer(text):
        name = _class_of(language, match.lastgroup or "", match[0])
        if name:
            pieces += [escape(text[done : match.start()]), _span(name, match)]
            done = match.end()
    return "".join([*pieces, escape(text[done:])])


def _span(name: str, match: re.Match[Any]) -> str:
    """A span ends with its line, so that lines can be numbered."""
    lines = escape(match[0]).split("\n")
    return "\n".join(f'<span class="{CLASS_PREFIX}{name}">{line}</span>' if line else "" for line in lines)


def code_html(text: str, language: str) -> str:
    """Return a fenced block's text as HTML; plain where the language is not known."""
    return _coloured(text, _LANGUAGES.get(language.lower()))


def file_html(text: str, filename: str) -> tuple[str, int]:
    """Return a file as HTML, a span with an id for each line, and the number of lines."""
    lines = _coloured(text, _language_of(filename)).removesuffix("\n").split("\n")
    spans = (f'<span class="ln" id="L{number}">{line}\n</span>' for number, line in enumerate(lines, 1))
    return "".join(spans), len(lines)
