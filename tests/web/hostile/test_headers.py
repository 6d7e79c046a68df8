"""Whatever a header says, the answer is whole, the part that was asked for, or a refusal."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fixtures.application import Answer, Api
from tests.web.edge.test_dates import IMPOSSIBLE
from tests.web.hostile.conftest import small
from tests.web.hostile.texts import header_values, walk

HUGE = ("9" * 20, "9" * 300, "9" * 5000)
EDGES = ("", "0", "1", "-1", "+1", "01", "3", "4294967296", "1_0", " 1 ", "0x1", "1e3", "\xb2", *HUGE)
DATES = (
    *(
        "Sat, 21 Nov 2026 00:00:00 GMT",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "0",
        "now",
    ),
    *(
        "Mon, 01 Jan 2026 00:00:00 -0000",
        "Mon, 32 Jan 2026 25:61:61 GMT",
        "Monday",
        "1 Jan 70",
        "Mon, 1 Jan 2026 00:00",
    ),
    *(f"Mon, 01 Jan {number} 00:00:00 GMT" for number in HUGE),
    *IMPOSSIBLE,
)


def ranges(size: int) -> st.SearchStrategy[str]:
    """Return ranges, good and bad ones, of something of that many bytes."""
    edge = st.one_of(
        st.sampled_from((*EDGES, str(size), str(size - 1), str(size + 1))), st.integers(0, 2 * size).map(str)
    )
    one = st.builds(lambda first, last: f"{first}-{last}", edge, edge)
    unit = st.sampled_from(("bytes=", "bytes=", "bytes=", "bytes =", "BYTES=", "chapters=", "=", "", "bytes"))
    return st.one_of(
        st.builds(lambda unit, several: unit + ",".join(several), unit, st.lists(one, max_size=3)), header_values()
    )


def conditions(etag: str) -> st.SearchStrategy[str]:
    """Return what stands in conditional headers: marks, dates and nonsense."""
    marks = (
        etag,
        f"W/{etag}",
        etag.strip('"'),
        f"{etag}, {etag}",
        "*",
        '"',
        '""',
        "W/",
        'W/"',
        f'"a{etag}',
        "," * 2_000,
    )
    return st.one_of(st.sampled_from((*marks, *DATES)), header_values())


def is_part(answer: Answer, whole: bytes) -> bool:
    """Say whether a partial answer is exactly the part that it says it is."""
    said = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", answer.headers["Content-Range"], re.ASCII)
    assert said is not None
    first, last, size = map(int, said.groups())
    return size == len(whole) and answer.data == whole[first : last + 1] != b""


@pytest.mark.parametrize("query", ["", "?w=256", "?download=1", "static"])
def test_no_range_and_no_condition_gives_other_bytes_than_asked_for(ann: Api, query: str) -> None:
    path = "/static/css/app.css" if query == "static" else small(ann)["images"][0]["src"] + query
    whole = ann.get(path)
    names = st.sampled_from(("If-None-Match", "If-Modified-Since", "If-Range", "If-Match", "If-Unmodified-Since"))

    @walk(45)
    @given(
        st.one_of(st.none(), ranges(len(whole.data))),
        st.dictionaries(names, conditions(whole.headers["ETag"]), max_size=2),
    )
    @example("bytes=0-1,3-4", {})
    @example("bytes=0-3", {"If-Range": IMPOSSIBLE[0]})
    @example(None, {"If-Modified-Since": IMPOSSIBLE[0]})
    def explore(wanted: str | None, headers: dict[str, str]) -> None:
        answer = ann.get(path, headers=headers if wanted is None else {**headers, "Range": wanted})

        assert answer.status_code in (200, 206, 304, 412, 416)
        if answer.status_code == 200:
            assert answer.data == whole.data
        elif answer.status_code == 206:
            assert is_part(answer, whole.data)
        elif query != "static":
            assert not answer.data or answer.mimetype == "application/problem+json"
            assert answer.status_code != 416 or "," not in (wanted or ",")

    explore()


SENT = (
    *(
        "Accept",
        "Accept-Language",
        "Accept-Encoding",
        "Authorization",
        "Cookie",
        "Referer",
        "Origin",
        "User-Agent",
        "Host",
    ),
    *(
        "Prefer",
        "Idempotency-Key",
        "Last-Event-ID",
        "X-CSRF-Token",
        "X-Requested-With",
        "X-Request-ID",
        "Cache-Control",
    ),
    *(
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Prefix",
        "Forwarded",
        "HX-Request",
        "Via",
    ),
    *(
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-HTTP-Method-Override",
        "Upgrade",
        "Connection",
        "Content-Encoding",
        "Expect",
    ),
)
SPELT = (
    *(
        "text/html",
        "text/html;q=9" + "9" * 400,
        "*/*;q=-1",
        "vi;q=nan",
        "vi-" * 500,
        "q=0.5,,;",
        "Bearer ",
        "Bearer \xff",
    ),
    *(
        "Basic !!!",
        "Basic Og==",
        "Digest x",
        "chatbot_session",
        'chatbot_session="\\777\\000"',
        "chatbot_session=a;" * 40,
    ),
    *(
        "http://[",
        "https://evil.example",
        "null",
        "127.0.0.1, evil",
        "evil.example",
        "[::1",
        "a:b",
        "gzip",
        "100-continue",
    ),
)


def test_no_header_breaks_an_answer_or_leads_away(app: Flask, ann: Api) -> None:
    made = small(ann)
    conversation = f"/api/conversation/{made['conversation_id']}"
    share = ann.post(f"{conversation}/share", json={}).json["token"]
    own = (made["images"][0]["src"], f"/c/{made['conversation_id']}", f"/share/{share}")
    read = (*own, "/", "/login", "/gallery", "/settings", "/admin/audit", "/no", "/static/css/app.css", "/api/images")
    written = ("/api/tokens", f"{conversation}/share", "/api/auth/login", "/login", "/language", "/api/uploads")
    value = st.one_of(header_values(), st.sampled_from(SPELT))

    cookie = ann.http.get_cookie("chatbot_session")
    assert cookie is not None

    @walk(110)
    @given(
        st.booleans(),
        st.one_of(
            *(
                st.tuples(st.just(method), st.sampled_from(paths))
                for method, paths in (("get", read), ("post", written))
            )
        ),
        st.dictionaries(st.sampled_from(SENT), value, min_size=1, max_size=3),
    )
    @example(True, ("post", "/language"), {"Referer": "http://["})
    def explore(known: bool, asked: tuple[str, str], headers: dict[str, str]) -> None:
        person = Api(app)
        if known:
            person.http.set_cookie(cookie.key, cookie.value)
            person.headers.update(ann.headers)
        # Past what holds answers against the description: a Host that is none is a 400 of HTTP itself, on every route.
        answer = getattr(person.http, asked[0])(asked[1], headers={**person.headers, **headers}, buffered=True)

        assert answer.status_code < 500
        assert re.match(r"/(?![/\\])", answer.headers.get("Location", "/"))
        assert not any("\r" in each or "\n" in each for pair in answer.headers for each in pair)

    explore()
