"""What a hostile person types: pieces that mean something to some parser, mixed with any characters at all."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.exploring import exploring

MARKUP = (
    *("<script>alert(1)</script>", "</script>", "<!--", "-->", "<![CDATA[", "]]>", "<", ">", "&", "'", '"', "`", "="),
    *(
        '"><img src=x onerror=alert(1)>',
        "' autofocus onfocus=alert(1) x='",
        '" onmouseover="alert(1)',
        "<svg/onload=x>",
    ),
    *(
        "</title>",
        "</textarea>",
        "</template>",
        "</noscript>",
        "</button>",
        "</a>",
        "<base href=//evil.example>",
        "</li>",
    ),
    *("<plaintext>", "<form action=//evil.example>", "<meta http-equiv=refresh content=0;//evil.example>", "<p", "/>"),
    *("&lt;script&gt;", "&#60;", "&#x3c;", "&quot;", "&NewLine;", "{{ 7 * 7 }}", "{% raw %}", "${7*7}", "%(x)s", "%s"),
    *("javascript:alert(1)", "data:text/html,<b>", "hx-get=/logout", "data-action=delete-image", "\\u003cb>", "\\"),
)
WRITING = (
    *("\u202e", "\u202d", "\u2066", "\u2069", "\u200e", "\u200f", "\u061c", "\u200b", "\ufeff", "\u2028", "\u2029"),
    *("\u0300" * 30, "\u0130", "\ufb00", "\ufdfa", "\U0001f98a", "\U000e0041", "\ufffe", "\uffff", "\ue000", "\u1160"),
    *("\x00", "\x01", "\x07", "\x08", "\x1b[31m", "\x7f", "\x85", "\x9b", "\xa0", "\t", "\n", "\r", "\r\n", "\r\n\r\n"),
    *("\r\nSet-Cookie: a=b", "%0d%0aX: y", "%00", "\\0", "a", " ", "the red fox", "Đêm ở Huế", "雪の狐", "0", "-1"),
)
PLACES = (
    *(
        "/",
        "\\",
        "..",
        "../",
        "..\\",
        "./",
        "/etc/passwd",
        "C:\\",
        "con",
        ".htaccess",
        ".png",
        ".pdf",
        ".html",
        ":",
        "~",
    ),
    *("\uff0e\uff0e\uff0f", "\u2215", "\u29f5", "%2e%2e%2f", "%252e%252e%252f", "..%c0%af", ";", "?", "#", "|", "*"),
)
HALVES = ("\ud800", "\udfff", "a\ud83d", "\udc00b")
"""Halves of characters: JSON can spell them, UTF-8 cannot."""


def walk(examples: int) -> settings:
    """Return how a walk is made: ten times as long when somebody explores."""
    return settings(
        max_examples=examples * 10 if exploring() else examples,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def mixtures(pieces: Iterable[str], *, most: int = 6) -> st.SearchStrategy[str]:
    """Return texts of a few such pieces with any other characters between them."""
    piece = st.one_of(st.sampled_from(sorted(pieces)), st.text(max_size=4))
    return st.lists(piece, max_size=most).map("".join)


def texts() -> st.SearchStrategy[str]:
    """Return texts that can be written as UTF-8, a few of them very long."""
    short = mixtures((*MARKUP, *WRITING, *PLACES))
    return st.one_of(
        short, short, short, st.builds(lambda text, size: text * (size // max(len(text), 1)), short, SIZES)
    )


SIZES = st.sampled_from((60, 100, 256, 2_001, 10_000))
"""Characters, around the limits that texts have."""


def json_texts() -> st.SearchStrategy[str]:
    """Return texts that JSON can spell, also those that cannot be written as UTF-8."""
    return st.one_of(texts(), texts(), mixtures((*HALVES, *MARKUP, *WRITING)))


def header_values() -> st.SearchStrategy[str]:
    """Return values that a server passes on in a header: Latin-1 without line ends, as HTTP has them."""
    pieces = (*(each for each in (*MARKUP, *WRITING, *PLACES) if each.isascii() and each.isprintable()), "\xff", "\xb2")
    junk = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=8)
    return st.lists(st.one_of(st.sampled_from(pieces), junk), max_size=5).map("".join).map(str.strip)
