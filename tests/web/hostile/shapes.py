"""What a browser makes of a page: which elements with which attributes there are, whatever their texts say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import unified_diff

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ChatBot.web.rendering.markdown import ATTRIBUTES, TAGS

Element = tuple[int, str, tuple[str, ...]]
"""How deep it stands, its name, and the names of its attributes."""
PROSE = "prose"
"""The class of the element that holds what a model wrote in Markdown."""


@dataclass(frozen=True)
class Shape:
    """A page without its texts."""

    elements: tuple[Element, ...]
    addresses: tuple[str, ...]
    """What the page leads to, loads, and sends forms to, without the texts that stand in queries."""
    data: tuple[str, ...]
    """Its blocks of data, as JSON that was read and written again."""

    def beside(self, other: Shape) -> list[str]:
        """Return where two pages differ, line by line; nothing when they do not."""
        return [
            line for line in unified_diff(self._lines(), other._lines(), lineterm="", n=0) if line[1:2] not in "-+@"
        ]

    def _lines(self) -> list[str]:
        return [*map(str, self.elements), *self.addresses, *self.data]


def shape_of(html: str) -> Shape:
    """Parse as browsers do, and fail if what a model wrote became more than Markdown may."""
    page = LexborHTMLParser(html)
    elements: list[Element] = []
    addresses: list[str] = []
    assert page.root is not None
    waiting = [(0, page.root)]
    while waiting:
        depth, node = waiting.pop()
        elements.append((depth, str(node.tag), tuple(sorted(node.attributes))))
        addresses += [_without_query(node.attributes.get(name)) for name in ("href", "src", "action", "hx-get")]
        if PROSE in (node.attributes.get("class") or "").split():
            _check_prose(node)
        else:
            waiting += [(depth + 1, child) for child in node.iter(include_text=False)]
    data = [json.dumps(json.loads(block.text())) for block in page.css('script[type="application/json"]')]
    return Shape(tuple(elements), tuple(filter(None, addresses)), tuple(data))


def text_of(html: str, selector: str) -> str:
    """Return the text of the only element of that kind, as a browser shows it."""
    [found] = LexborHTMLParser(html).css(selector)
    return found.text()


def as_shown(text: str) -> str:
    """Return what HTML makes of a text between two tags: NUL goes, and every line ends alike."""
    return text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")


def _without_query(address: str | None) -> str:
    return (address or "").partition("?")[0]


def _check_prose(prose: LexborNode) -> None:
    for node in prose.css("*"):
        if node.mem_id == prose.mem_id:
            continue
        tag, names = str(node.tag), set(node.attributes)
        assert tag in TAGS, (tag, prose.html)
        assert names <= ATTRIBUTES.get(tag, set()) | ({"rel"} if tag == "a" else set()), (tag, names, prose.html)
        scheme = (node.attributes.get("href") or "").partition(":")[0].strip().lower()
        assert scheme not in ("javascript", "data", "vbscript", "file"), prose.html
