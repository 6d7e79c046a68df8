"""The one Markdown pipeline: parse, highlight, sanitise. Pictures in Markdown load from this server only."""

from __future__ import annotations

import re
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

TAGS = frozenset(
    {
        *("a", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li"),
        *("ol", "p", "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
    }
)
ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href", "title"},
    "code": {"class"},
    "span": {"class"},
    "div": {"class"},
    "ol": {"start"},
    "td": {"align"},
    "th": {"align"},
}
NESTING = 40
"""Deeper nesting than anybody writes; markdown-it stops there, so 100,000 brackets cost nothing."""

_TOO_MANY_BRACKETS = re.compile(r"[\[\]>*_`]{200,}")


def _highlighted(code: str, language: str, _attributes: str) -> str:
    try:
        lexer = get_lexer_by_name(language) if language else None
    except ClassNotFound:
        lexer = None
    if lexer is None:
        return ""
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))


_parser = MarkdownIt(
    "commonmark", {"html": False, "linkify": False, "breaks": True, "maxNesting": NESTING, "highlight": _highlighted}
)
_parser.enable(["table", "strikethrough"]).disable("image")


@lru_cache(maxsize=2048)
def render_markdown(text: str) -> str:
    """Return safe HTML without Markdown pictures: a model's answer must not make a browser fetch a foreign URL."""
    html = _parser.render(_TOO_MANY_BRACKETS.sub("…", text))
    return nh3.clean(
        html,
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
