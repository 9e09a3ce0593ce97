"""Colours are put on hostile text as fast as on any other, and change none of it."""

import html
import re
import time

import pytest

from hub.pages.highlight import MAX_COLOURED, code_html, file_html

LANGUAGES = ["python", "bash", "c", "javascript", "yaml", "json", "sql", "html", "diff", "dockerfile"]
SEEDS = [
    "\n", " \n", "\r", '"', "'", '"""', "'''\n", '\\"', '"\\', "/*", "/**", "/*/", "<!--", "<!-", "<a ", "`", "#", "--",
    "//", "1", "1.", "a", "a.", "a_ ", "a:", "a =", "- ", "  - a", "[", "{", "@", "@a.", "$a", "+", "++", "é", "\\",
    "=", "\t",
]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_text_is_coloured_in_proportion_to_its_length(language: str) -> None:
    started = time.process_time()
    for seed in SEEDS:
        text = (seed * 32_768)[:32_768]
        found = code_html(text, language)
        assert html.unescape(re.sub(r"<[^>]*>", "", found)) == text
    # Under two seconds for all of them on an idle machine.
    assert time.process_time() - started < 15


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("python", "import os  # why", '<span class="hl-kn">import</span> os  <span class="hl-c1"># why</span>'),
        ("python", '"""a\nb"""', '&quot;a</span>\n<span class="hl-sd">b&quot;&quot;&quot;</span>'),
        ("js", "/* a */ let b = 'c'", '<span class="hl-c">/* a */</span> <span class="hl-k">let</span> b = '),
        ("c", "#include <a.h>\nint b;", '<span class="hl-cp">#include &lt;a.h&gt;</span>\n<span class="hl-k">int'),
        ("json", '{"a": [1.5, null, "b"]}', '<span class="hl-nt">&quot;a&quot;</span>: [<span class="hl-mi">1.5'),
        ("yaml", "license: mit # free", '<span class="hl-nt">license</span>: mit <span class="hl-c1"># free</span>'),
        ("SQL", "SELECT 1 -- one", '<span class="hl-k">SELECT</span> <span class="hl-mi">1</span> '),
        ("html", "<!-- a --><b>", '<span class="hl-c">&lt;!-- a --&gt;</span><span class="hl-nt">&lt;b</span>'),
        ("diff", "-a\n+b", '<span class="hl-gd">-a</span>\n<span class="hl-gi">+b</span>'),
        ("sh", "echo $HOME", 'echo <span class="hl-nv">$HOME</span>'),
        ("unheard-of", "import <os>", "import &lt;os&gt;"),
    ],
)  # fmt: skip
def test_each_family_of_languages_has_its_colours(name: str, text: str, expected: str) -> None:
    assert expected in code_html(text, name)


def test_lines_of_a_file_are_numbered_and_no_span_crosses_one() -> None:
    found, count = file_html('"""a\nb"""\nx = 1\n', "src/a.py")
    assert count == 3
    assert [line.count("<span") - line.count("</span") for line in found.split('<span class="ln"')] == [
        0,
        -1,
        -1,
        -1,
    ]
    assert 'id="L3">x = <span class="hl-mi">1</span>\n</span>' in found


def test_long_text_stays_plain() -> None:
    assert "<span" not in code_html("import os\n" * (MAX_COLOURED // 10 + 1), "python")
