"""Markdown from a model: safe, without pictures and scripts, and quick on hostile text."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ChatBot.web.rendering.markdown import ATTRIBUTES, TAGS, render_markdown
from tests.web.routes.test_pages import Page

CORPUS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](java\tscript:alert(1))",
    "[a](&#106;avascript:alert(1))",
    "[a](data:text/html;base64,PHNjcmlwdD4=)",
    "[a](vbscript:x)",
    "[a](file:///etc/passwd)",
    "<javascript:alert(1)>",
    "[a][b]\n\n[b]: javascript:alert(1)",
    '[a](https://e.example "onmouseover=alert(1)")',
    '[a](https://e.example" onmouseover="alert(1))',
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "`<b onclick=alert(1)>`",
    "| a | b |\n|---|---|\n| <script>x</script> | <img src=x onerror=y> |",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<style>*{background:url(//e.example)}</style>",
    "<a href='x' style='position:fixed'>x</a>",
    "![a](https://e.example/track.png)",
    "![a][b]\n\n[b]: https://e.example/track.png",
    "[![a](https://e.example/track.png)](https://e.example)",
    "<div class=x id=y data-action=delete-image>",
)


def check(html: str) -> None:
    """Assert that a piece of HTML has allowed elements, attributes and addresses only."""
    for tag, attributes in Page(html).elements:
        assert tag in TAGS, html
        assert set(attributes) <= ATTRIBUTES.get(tag, set()) | ({"rel"} if tag == "a" else set()), html
        assert urlsplit(attributes.get("href") or "").scheme in ("", "http", "https", "mailto"), html


@pytest.mark.parametrize("text", CORPUS)
def test_hostile_markdown_becomes_harmless(text: str) -> None:
    check(render_markdown(text))


@settings(deadline=None)
@given(st.text(alphabet="<>&\"'`[]()!*_#-|\\/: \n\tabjs=\u0000", max_size=200))
def test_any_text_becomes_harmless(text: str) -> None:
    check(render_markdown(text))


@settings(deadline=None)
@given(st.lists(st.sampled_from((*CORPUS, "> ", "- ", "\n\n", "```", "|", "*"))).map("".join))
def test_any_mixture_becomes_harmless(text: str) -> None:
    check(render_markdown(text))


@pytest.mark.parametrize("text", ["![a](https://e.example/t.png)", "![a](/i/x)", "<img src=/i/x>", "![][b]\n\n[b]: /x"])
def test_a_picture_in_markdown_is_never_loaded(text: str) -> None:
    assert "<img" not in render_markdown(text)


def test_a_link_tells_nothing_to_where_it_leads() -> None:
    (link,) = Page(render_markdown("[a](https://e.example)")).all("a")

    assert link == {"href": "https://e.example", "rel": "noopener noreferrer nofollow"}


def test_what_people_use_markdown_for_works() -> None:
    html = render_markdown(
        "# T\n\n**b** *i* ~~s~~ `c`\n\n1. x\n\n| a |\n|---|\n| 1 |\n\n```python\nprint(1)\n```\na\nb"
    )

    for piece in ("<h1>T</h1>", "<strong>b</strong>", "<em>i</em>", "<s>s</s>", "<code>c</code>", "<ol>", "<td>1</td>"):
        assert piece in html
    assert '<span class="nb">print</span>' in html
    assert "a<br>" in html


def test_an_unknown_language_is_plain_code() -> None:
    assert "<b>" not in render_markdown("```nosuch\n<b>\n```")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", ["[", "]", "![", "[a](", "> ", "*", "_", "**a ", "`", "<", "- ", "(", "&", "\\", "|-", "~~a"]
)
def test_a_hundred_thousand_of_anything_comes_to_an_end(piece: str) -> None:
    check(render_markdown(piece * (100_000 // len(piece))))
