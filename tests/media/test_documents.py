"""PDFs are known by how they begin and end."""

from __future__ import annotations

import pytest

from ChatBot.errors import PictureRefused
from ChatBot.media.documents import is_pdf, require_whole
from tests.media.samples import pdf, photograph, saved


@pytest.mark.parametrize("version", [b"1.0", b"1.7", b"2.0"])
def test_every_version_is_a_pdf(version: bytes) -> None:
    assert is_pdf(b"%PDF-" + version + pdf()[8:])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF",
        b"%PDF-x.y",
        b"%PDF-9.9",
        b"\n%PDF-1.7",
        b"<!doctype html><script>alert(1)</script><!-- %PDF-1.7 -->",
        saved(photograph((8, 8)), "PNG"),
        saved(photograph((8, 8)), "JPEG") + pdf(),
    ],
)
def test_what_begins_otherwise_is_none(data: bytes) -> None:
    assert not is_pdf(data)


def test_a_whole_pdf_is_taken_also_with_a_little_behind_it() -> None:
    require_whole(pdf())
    require_whole(pdf() + bytes(900))


@pytest.mark.parametrize("data", [pdf()[:-8], b"%PDF-1.7", pdf() + bytes(2000)])
def test_a_pdf_without_its_end_is_refused(data: bytes) -> None:
    with pytest.raises(PictureRefused, match="breaks off") as refusal:
        require_whole(data)

    assert refusal.value.reason == "truncated"
