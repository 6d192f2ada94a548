"""HTML as people write it, and as nobody should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.rag.html import to_markdown


def text(html: str) -> str:
    return to_markdown(html)[1]


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<h1>One</h1><p>text<h2>Two</h2>more", "# One\n\ntext\n\n## Two\n\nmore"),
        ("<p>a <b>bold</b>\n  word</p>", "a bold word"),
        ("<p><b>Why is it slow?</b></p><p>Because.</p>", "###### Why is it slow?\n\nBecause."),
        ("<p><b>***</b></p>x", "***\n\nx"),
        ("<ul><li>one<li>two</ul>after", "- one\n- two\n\nafter"),
        ("<ul><li><p>one</p></li></ul>", "- one"),
        ("<pre>a\n  b\n</pre>after", "```\na\n  b\n```\n\nafter"),
        ("<pre>x ``` y</pre>", "```\nx ` ` ` y\n```"),
        ("<table><tr><th>Name<th>Size</tr><tr><td>a</td><td></td><td>3</td></tr></table>", "Name | Size\n\na | 3"),
        ("one<br>two &lt;b&gt; &eacute;", "one two <b> é"),
        ("# no heading", "\\# no heading"),
        ("a<script>x<p>y</script>b<style>c</style>", "ab"),
        ("<nav>menu<ul><li>x</ul></nav><p>text</p><footer>foot</footer>", "text"),
        ('<div class="x nosearch">menu<div>deep</div></div>text', "text"),
        ('<p hidden>secret</p><p style="display: none">secret</p><p aria-hidden="true">secret</p>text', "text"),
        ("<svg><title>no</title></svg><title>Yes</title>text", "text"),
        ("</p></div></pre>text</b>", "text"),
        ("", ""),
    ],
)
def test_html_becomes_markdown(html, markdown):
    assert text(html) == markdown


def test_the_first_title_counts():
    assert to_markdown("<title>One</title><title>Two</title>text") == ("One", "text")


PIECES = ["<p>", "</p>", "<pre>", "</pre>", "<b>", "</b>", "<li>", "<td>", "<h2>", "</h2>", "<div hidden>", "</div>"]
PIECES += ["<!--", "-->", "<script", ">", "word", " ", "\n", "&#x1f;", "\x00", "<![CDATA["]


@given(st.lists(st.sampled_from(PIECES)))
def test_broken_html_never_fails(pieces):
    title, markdown = to_markdown("".join(pieces))
    assert isinstance(title, str)
    assert isinstance(markdown, str)


def test_a_page_of_a_megabyte_in_one_line_is_read():
    assert len(text("<p>" + "word " * 200_000 + "</p>")) == 5 * 200_000 - 1


def test_deep_nesting_is_read():
    assert text("<div>" * 20_000 + "text" + "</div>" * 20_000) == "text"
