r"""Maths in cards: ``$..$``, ``$$..$$``, ``\\(..\\)`` and ``\\[..\\]`` become elements with TeX in them.

A script draws them in the browser; without it the TeX is read as it was written.  Prices are no maths: a single dollar
sign opens where no blank follows it, closes where none stands before it, and no letter or digit touches either outside.
"""

from collections.abc import MutableMapping, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

# Longer formulas, and more of them, stay text.
MAX_TEX = 2_000
MAX_LINES = 100
MAX_FORMULAS = 1_000
INLINE, DISPLAY = "math", "math--display"
_ENDS = {"$$": "$$", "\\[": "\\]", "\\(": "\\)", "$": "$"}
_INTERRUPTED = ["paragraph", "reference", "blockquote", "list"]
_ESCAPE = "\\"


def maths_plugin(markdown: MarkdownIt) -> None:
    """Teach a parser maths."""
    markdown.inline.ruler.before("escape", "maths", _inline)
    markdown.block.ruler.before("fence", "maths_block", _block, {"alt": _INTERRUPTED})
    markdown.add_render_rule("maths", _render)
    markdown.add_render_rule("maths_block", _render)


def _render(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    return maths_html(token.content, display=token.markup in ("$$", "\\["), block=token.block)


def maths_html(tex: str, *, display: bool, block: bool) -> str:
    """Return TeX in an element that the script draws."""
    tag = "div" if block else "span"
    return f'<{tag} class="{INLINE}{" " + DISPLAY if display else ""}">{escape(tex)}</{tag}>'


def _is_one_more(env: MutableMapping[str, Any]) -> bool:
    env["formulas"] = env.get("formulas", 0) + 1
    return bool(env["formulas"] <= MAX_FORMULAS)


def _inline(state: StateInline, silent: bool) -> bool:
    start = next((mark for mark in _ENDS if state.src.startswith(mark, state.pos)), "")
    if not start:
        return False
    begin = state.pos + len(start)
    end = _end(state.src, begin, _ENDS[start], min(state.posMax, begin + MAX_TEX))
    tex = state.src[begin:end] if end > begin else ""
    if not tex.strip() or (start == "$" and not _is_tight(state, tex, end)):
        return False
    if not silent:
        if not _is_one_more(state.env):
            return False
        token = state.push("maths", "", 0)
        token.content, token.markup = tex.strip(), start
    state.pos = end + len(_ENDS[start])
    return True


def _end(text: str, begin: int, mark: str, stop: int) -> int:
    """Return where a formula ends, or -1; a dollar sign behind a backslash is one of the formula's own."""
    at = text.find(mark, begin, stop)
    while at > 0 and mark[0] == "$" and text[at - 1] == _ESCAPE:
        at = text.find(mark, at + 1, stop)
    return at


def _is_tight(state: StateInline, tex: str, end: int) -> bool:
    before, behind = state.src[max(state.pos - 1, 0) : state.pos], state.src[end + 1 : end + 2]
    if before.isalnum() or behind.isalnum() or "`" in tex:
        return False
    return not (tex[0].isspace() or tex[-1].isspace())


def _block(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    if state.is_code_block(first):
        return False
    line = _line(state, first)
    start = next((mark for mark in ("$$", "\\[") if line.startswith(mark)), "")
    if not start:
        return False
    taken, end = [line[len(start) :]], _ENDS[start]
    number = first
    while end not in taken[-1] and number + 1 < min(last, first + MAX_LINES):
        number += 1
        taken.append(_line(state, number))
    tex, closed, rest = "\n".join(taken).partition(end)
    if not closed or rest.strip() or not tex.strip() or len(tex) > MAX_TEX:
        return False
    if silent:
        return True
    if not _is_one_more(state.env):
        return False
    token = state.push("maths_block", "", 0)
    token.block, token.content, token.markup, token.map = True, tex.strip(), start, [first, number + 1]
    state.line = number + 1
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]
