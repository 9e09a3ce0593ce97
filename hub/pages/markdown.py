"""Model cards as HTML.  The text is hostile: it is cut, rendered, and then only what an allow-list names is kept."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from posixpath import normpath
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from hub.pages.highlight import CLASS_PREFIX, code_html
from hub.pages.maths import MAX_TEX, maths_html, maths_plugin

# Raise it when the same text gives other HTML, so that no old rendering is taken from the cache.
VERSION = 4
MAX_TEXT = 150_000
MAX_LINES = 5_000
MAX_LINE = 20_000
MAX_CODE = 100_000
# What the time grows with: brackets that may begin a link, tags, emphasis, and blocks such as the cells of a table.
MAX_MARKS = {"[": 6_000, "<": 15_000, "*": 20_000, "_": 30_000, "$": 10_000}
MAX_BLOCKS = 40_000
MAX_HTML = 1_000_000
ID_PREFIX = "card-"

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "center", "code", "dd", "del", "details", "div", "dl", "dt", "em",
    "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "input", "ins", "kbd", "label", "li",
    "mark", "ol", "p", "picture", "pre", "q", "s", "samp", "section", "small", "span", "strong", "sub", "summary",
    "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"id", "title", "class", "align"},
    "a": {"href"},
    "details": {"open"},
    "img": {"src", "alt", "width", "height", "loading", "referrerpolicy"},
    "input": {"type", "checked", "disabled"},
    "li": {"value"},
    "ol": {"start"},
    "pre": {"tabindex"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_DROPPED_WHOLE = {
    "script",
    "style",
    "svg",
    "math",
    "iframe",
    "object",
    "template",
    "noscript",
    "title",
    "textarea",
}
# Classes that the renderer itself writes; a card may not dress up as a part of the hub.
_CLASSES = frozenset(
    """
    code scroll-x table num task-list-item footnote-ref footnotes footnotes-list footnote-item footnote-backref
    footnotes-sep math math--display outside
    """.split()
)
_PICTURE = re.compile(r"\.(png|jpe?g|jfif|gif|webp|svg|avif|apng|bmp|ico|tiff?)\Z")
_TAG = re.compile(r"<(/?)h([1-5])(?=[ >])")


@dataclass(frozen=True, slots=True)
class Place:
    """Where relative addresses in a text lead: pages for links, bytes for pictures; both end in a slash."""

    pages: str
    files: str
    folder: str = ""


def render(text: str, place: Place) -> str:
    """Return safe HTML of a card's body; ends with a note where the text was too long to show whole."""
    text, was_cut = _bounded(text)
    env: dict[str, Any] = {}
    raw = _renderer().render(text, env)[:MAX_HTML]
    html = _clean(raw, place)
    while len(html) > MAX_HTML:
        # What is cut anywhere comes out of the cleaning whole; addresses may have made it longer.
        raw, was_cut = raw[: len(raw) * MAX_HTML // len(html) * 9 // 10], True
        html = _clean(raw, place)
    # The page has its one h1: headings of the card begin a level below.
    html = _TAG.sub(lambda match: f"<{match[1]}h{int(match[2]) + 1}", html)
    return html + _CUT_NOTE if was_cut or len(raw) == MAX_HTML or "was_cut" in env else html


_CUT_NOTE = '<p class="cut"><em>The card is longer than what is shown here. Open README.md to read all of it.</em></p>'


def _bounded(text: str) -> tuple[str, bool]:
    """Cut text that would take long to render: as a whole, in lines, and within one line, where markup is paired."""
    lines = text[:MAX_TEXT].split("\n")
    if len(text) > MAX_TEXT and len(lines) > 1:
        lines.pop()
    cut = "\n".join(line[:MAX_LINE] for line in lines[:MAX_LINES])
    for mark, most in MAX_MARKS.items():
        cut = _up_to(cut, mark, most)
    return cut, len(cut) < len(text)


def _up_to(text: str, mark: str, most: int) -> str:
    """Cut a text before the first mark that is too many."""
    if text.count(mark) <= most:
        return text
    return mark.join(text.split(mark, most + 1)[: most + 1])


def _renderer() -> MarkdownIt:
    """A fresh one each time: it is made in a millisecond, and threads need not share it."""
    markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    markdown.use(footnote_plugin)
    markdown.use(maths_plugin)
    markdown.core.ruler.after("block", "cut_blocks", _cut_blocks)
    markdown.core.ruler.push("name_headings", _name_headings)
    markdown.core.ruler.push("task_boxes", _task_boxes)
    markdown.core.ruler.push("align_cells", _align_cells)
    markdown.core.ruler.push("outside_pictures", _outside_pictures)
    coloured = [0]

    def fence(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        words = tokens[index].info.split(maxsplit=1)
        if words[:1] == ["math"] and len(tokens[index].content) <= MAX_TEX:
            return maths_html(tokens[index].content.strip(), display=True, block=True)
        coloured[0] += len(tokens[index].content)
        language = words[0] if words and coloured[0] <= MAX_CODE else ""
        html = code_html(tokens[index].content, language)
        return f'<div class="code"><pre tabindex="0"><code>{html}</code></pre></div>\n'

    markdown.add_render_rule("fence", fence)
    markdown.add_render_rule("code_block", fence)
    markdown.add_render_rule("table_open", lambda *_: '<div class="scroll-x"><table class="table">\n')
    markdown.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return markdown


def _cut_blocks(state: StateCore) -> None:
    """Few characters can make many cells; what is left open by the cut is closed when the HTML is cleaned."""
    if len(state.tokens) > MAX_BLOCKS:
        del state.tokens[MAX_BLOCKS:]
        state.env["was_cut"] = True


def _name_headings(state: StateCore) -> None:
    """Give headings the ids that links inside a card expect: ``#what-it-does``, then ``#what-it-does-1``."""
    taken: Counter[str] = Counter()
    for opening, inline in pairwise(state.tokens):
        if opening.type == "heading_open":
            words = (
                re.sub(r"[^\w\- ]", "", inline.content.strip().lower())[:100].replace(" ", "-") or "section"
            )
            opening.attrSet("id", f"{words}-{taken[words]}" if taken[words] else words)
            taken[words] += 1


def _task_boxes(state: StateCore) -> None:
    """``- [x] done`` shows a box that cannot be changed."""
    for item, opening, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if (item.type, opening.type, inline.type) != ("list_item_open", "paragraph_open", "inline"):
            continue
        if re.match(r"\[[ xX]\] ", inline.content) and inline.children and inline.children[0].type == "text":
            box = Token("html_inline", "", 0)
            # What stands beside the box is its name.
            box.content = '<label><input type="checkbox"' + (
                " checked> " if inline.content[1] in "xX" else "> "
            )
            end = Token("html_inline", "", 0)
            end.content = "</label>"
            inline.children[0].content = inline.children[0].content[4:]
            inline.children = [box, *inline.children, end]
            item.attrSet("class", "task-list-item")


def _align_cells(state: StateCore) -> None:
    """Alignment comes as a style, which the allow-list drops; numbers stand right by class."""
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and token.attrs.pop("style", "") == "text-align:right":
            token.attrSet("class", "num")


def _outside_pictures(state: StateCore) -> None:
    """A picture that lies elsewhere becomes a link to it: reading a card asks nobody but the hub."""
    for inline in state.tokens:
        depth = 0
        for token in inline.children or []:
            depth += token.nesting if token.type in ("link_open", "link_close") else 0
            if token.type == "image" and _is_outside(str(token.attrs.get("src", ""))):
                words = escape(token.content or "picture")
                address = escape(str(token.attrs["src"]))
                token.type, token.children = "html_inline", None
                token.content = words if depth else f'<a class="outside" href="{address}">{words}</a>'


def _is_outside(address: str) -> bool:
    return re.match(r"\s*(?:[a-zA-Z][a-zA-Z0-9+.\-]*:|//|\\\\)", address) is not None


def _clean(html: str, place: Place) -> str:
    return nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=_DROPPED_WHOLE,
        attributes=_ATTRIBUTES,
        attribute_filter=_filter(place),
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
        set_tag_attribute_values={
            "img": {"loading": "lazy", "referrerpolicy": "no-referrer"},
            "input": {"disabled": "", "type": "checkbox"},
        },
    )


def _filter(place: Place) -> Callable[[str, str, str], str | None]:
    def keep(tag: str, name: str, value: str) -> str | None:
        if name == "id":
            return ID_PREFIX + value[:200]
        if name == "class":
            words = [word for word in value.split() if word in _CLASSES or word.startswith(CLASS_PREFIX)]
            return " ".join(words) or None
        if name == "href":
            return _link(value, place)
        if name == "src":
            return None if _is_outside(value) else _picture(value, place)
        if name in ("width", "height", "colspan", "rowspan", "start", "value"):
            return value if re.fullmatch(r"[0-9]{1,4}%?", value) else None
        if name == "tabindex":
            return "0"
        return value

    return keep


def _link(value: str, place: Place) -> str | None:
    if value.startswith("#"):
        return "#" + ID_PREFIX + value[1:]
    return _address(value, place.pages, place.folder)


def _picture(value: str, place: Place) -> str | None:
    """Return where a picture lies.  What a card shows is fetched as its reader, who shall thereby pull no weights."""
    address = _address(value, place.files, place.folder) or ""
    path = urlsplit(address).path.lower()
    is_file = address.startswith(place.files) or "/resolve/" in path or "/raw/" in path
    return address if is_file and _PICTURE.search(path) else None


def _address(value: str, base: str, folder: str) -> str | None:
    """Return an absolute address as it is, and one relative to the file below ``base``; None for what is neither."""
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return None
    if parts.scheme or parts.netloc or value.startswith(("/", "\\")):
        return value
    path = normpath("/".join(filter(None, (folder, unquote(parts.path))))) if parts.path else ""
    if not path or path.startswith(".."):
        return None
    return base + quote(path) + (f"#{ID_PREFIX}{parts.fragment}" if parts.fragment else "")
