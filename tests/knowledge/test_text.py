"""Markdown becomes HTML that no script survives."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.text import TAGS, to_html, to_words

RUNS = re.compile(r"\s*(javascript|data|vbscript):", re.IGNORECASE)
KEY = "01a220ff-2e88-75df-9f33-4e6e290aa9c6"


class Running(HTMLParser):
    """What would run in a page: elements, handlers and addresses."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found += [tag] if tag not in TAGS else []
        self.found += [name for name, _value in attrs if name.startswith("on") or name == "style"]
        self.found += [value for name, value in attrs if name in {"href", "src"} and RUNS.match(value or "")]


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("# Title", "<h2>Title</h2>\n"),
        ("## A\n\n#### B", "<h2>A</h2>\n<h4>B</h4>\n"),
        ("# A\n\n###### B", "<h2>A</h2>\n<h6>B</h6>\n"),
        ("a <b onclick=x>b</b>", "<p>a &lt;b onclick=x&gt;b&lt;/b&gt;</p>\n"),
        ("[x](javascript:alert)", "<p>[x](javascript:alert)</p>\n"),
        ("[x](https://a.example)", '<p><a href="https://a.example" rel="noopener noreferrer nofollow">x</a></p>\n'),
        ("![p](https://a.example/p.png)", '<p><img alt="p"></p>\n'),
        (f"![p](/kb/pictures/{KEY}/)", f'<p><img src="/kb/pictures/{KEY}/" alt="p"></p>\n'),
        (f"![p](//evil.example/kb/pictures/{KEY}/)", '<p><img alt="p"></p>\n'),
    ],
)
def test_markdown_becomes(source, result):
    assert to_html(source) == result


PIECES = st.sampled_from(
    [
        "<script>",
        "</script>",
        "[x](",
        ")",
        "javascript:",
        "data:text/html,",
        "<img src=x onerror=y>",
        "`",
        "\n",
        "|",
        "*",
    ]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=12).map("".join))
def test_whatever_is_written_nothing_runs(source):
    assert Running(to_html(source)).found == []


def test_the_judge_itself_sees_what_runs():
    page = '<script></script><p onclick="x" style="y"><a href=" JavaScript:x"><img src="data:x">'
    assert Running(page).found == ["script", "onclick", "style", " JavaScript:x", "data:x"]


def test_words_are_text_without_marks():
    assert to_words("# A & b\n\n- **c** `x<y`\n- <i>d</i>") == "A & b c x<y <i>d</i>"
