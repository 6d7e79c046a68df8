"""Whatever a file is called, its name is text to show, and one plain name to save it under."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given
from werkzeug.http import parse_options_header

from tests.fixtures.application import Answer, Api
from tests.media.samples import pdf, photograph, saved
from tests.web.hostile.conftest import small
from tests.web.hostile.test_json import refused_with_a_reason
from tests.web.hostile.texts import texts, walk
from tests.web.test_uploads import files

TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Every character that turns the direction of writing (Unicode's Bidi_Control)."""
DISPOSITION = re.compile(
    r"""attachment; filename="?(?P<short>[\w. -]+)"?; filename\*=UTF-8''(?P<long>(?:[\w.~-]|%[0-9A-F]{2})+)""", re.ASCII
)
"""The only form that our headers have, of all that RFC 6266 allows."""


def as_browsers_say(name: str) -> bytes:
    """Return the parameter as the HTML standard writes it."""
    for character, escape in (('"', "%22"), ("\r", "%0D"), ("\n", "%0A")):
        name = name.replace(character, escape)
    return b'filename="' + name.encode() + b'"'


def as_programs_say(name: str) -> bytes:
    """Return the parameter as libraries for mail write it."""
    return b'filename="' + name.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'


def in_the_long_way(name: str) -> bytes:
    """Return the parameter in the encoding of RFC 8187."""
    return b"filename*=UTF-8''" + quote(name, safe="").encode()


def without_quotes(name: str) -> bytes:
    """Return the parameter as nobody should write it."""
    return b"filename=" + name.encode()


def hand_in(api: Api, parameter: bytes, data: bytes) -> Answer:
    """Send a form that names its file by that parameter."""
    head = b'--cut\r\nContent-Disposition: form-data; name="file"; ' + parameter
    body = head + b"\r\nContent-Type: application/octet-stream\r\n\r\n" + data + b"\r\n--cut--\r\n"
    return api.post("/api/uploads", data=body, content_type="multipart/form-data; boundary=cut")


def saved_as(answer: Answer) -> str:
    """Return the name that a download is kept under, and fail if one of the two ways to say it is no plain name."""
    header = answer.headers["Content-Disposition"]
    found = DISPOSITION.fullmatch(header)
    assert found is not None, header
    name = unquote(found["long"], errors="strict")
    assert parse_options_header(header) == ("attachment", {"filename": name})
    for each in (found["short"], name):
        assert not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in each), header
        assert not set(each) & set(f"/\\{TURNING}"), header
        assert Path(each).stem.strip(), header
        assert not each.startswith((".", " ")), header
    return name


@pytest.mark.parametrize("spelled", [as_browsers_say, as_programs_say, in_the_long_way, without_quotes])
def test_a_file_of_any_name_is_kept_and_downloaded_under_a_plain_one(
    ann: Api, tmp_path: Path, spelled: Callable[[str], bytes]
) -> None:
    @walk(12)
    @given(texts())
    @example("\u202e.pdf")
    @example("../../\u061c.bashrc")
    def explore(name: str) -> None:
        answer = hand_in(ann, spelled(name), pdf())

        if not refused_with_a_reason(answer):
            assert len(answer.json["name"]) <= 255
            assert ann.get(f"/api/images/{answer.json['id']}").json["name"] == answer.json["name"]
            download = ann.get(answer.json["src"])
            assert download.data == pdf()
            assert saved_as(download).endswith(".pdf")

    explore()
    assert all(name.removesuffix(".pdf").isalnum() for name in files(tmp_path))


def test_a_picture_of_any_name_is_downloaded_under_a_plain_one(ann: Api) -> None:
    picture = saved(photograph((16, 16)), "PNG")

    @walk(10)
    @given(texts())
    def explore(name: str) -> None:
        answer = hand_in(ann, as_browsers_say(name), picture)

        if not refused_with_a_reason(answer):
            assert saved_as(ann.get(f"{answer.json['src']}?download=1")).endswith(".png")

    explore()


def test_a_picture_with_any_caption_is_downloaded_under_a_plain_name(ann: Api) -> None:
    image = small(ann)["images"][0]["id"]

    @walk(30)
    @given(texts())
    @example("\u202e")
    @example("..")
    @example("a" * 59 + " .")
    def explore(caption: str) -> None:
        if not refused_with_a_reason(ann.patch(f"/api/images/{image}", json={"caption": caption})):
            assert saved_as(ann.get(f"/i/{image}?download=1")).endswith(".png")

    explore()
