"""PDFs over HTTP: handed in, downloaded, listed, shared, deleted, and never shown by a browser as a page of ours."""

from __future__ import annotations

import base64
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.http import parse_options_header

from tests.fixtures.application import Api
from tests.fixtures.s3 import S3Storage
from tests.media.samples import pdf, photograph, saved
from tests.web.test_uploads import files, hand_in
from tests.web.test_walk import states

HTML = {"Accept": "text/html"}


@pytest.fixture
def kept(ann: Api) -> dict[str, Any]:
    """A PDF of ``ann``."""
    answer = hand_in(ann, pdf("quarterly"), "Q3 report.pdf")
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


@pytest.fixture
def conversation_id(ann: Api, kept: dict[str, Any]) -> str:
    """A conversation that shows it."""
    made = str(ann.post("/api/conversations", json={"title": "Papers"}).json["id"])
    asked = ann.post(f"/api/conversation/{made}/messages", json={"content": "Keep this.", "images": [kept["id"]]})
    assert asked.status_code == 202, asked.text
    return made


def test_a_pdf_is_answered_as_a_file(kept: dict[str, Any]) -> None:
    assert (kept["kind"], kept["name"], kept["mime_type"]) == ("file", "Q3 report.pdf", "application/pdf")
    assert (kept["size"], kept["sha256"]) == (len(pdf("quarterly")), sha256(pdf("quarterly")).hexdigest())
    assert (kept["service"], kept["durability"]["local"]) == ("local", "present")
    assert {"width", "thumbnail_url", "cloud_url"}.isdisjoint(kept)


@pytest.mark.parametrize("prefix", ["", "data:application/pdf;base64,"])
def test_json_hands_in_a_pdf(ann: Api, prefix: str) -> None:
    answer = ann.post("/api/uploads", json={"data": prefix + base64.b64encode(pdf()).decode()})

    assert (answer.status_code, answer.json["kind"], answer.json["name"]) == (201, "file", "file.pdf")


def test_the_bytes_decide_what_it_is(ann: Api) -> None:
    named_picture = hand_in(ann, pdf(), "photo.png").json
    named_pdf = hand_in(ann, saved(photograph((40, 30)), "PNG"), "report.pdf").json

    assert (named_picture["kind"], named_pdf["kind"]) == ("file", "picture")
    assert ann.get(named_picture["src"]).mimetype == "application/pdf"
    assert ann.get(named_pdf["src"]).mimetype == "image/png"


def test_a_page_that_mentions_a_pdf_is_refused(ann: Api, tmp_path: Path) -> None:
    answer = hand_in(ann, b"<script>alert(1)</script>\n" + pdf(), "report.pdf")

    assert (answer.status_code, answer.json["reason"]) == (422, "format")
    assert files(tmp_path) == []


def test_half_a_pdf_is_refused_and_nothing_is_written(ann: Api, tmp_path: Path) -> None:
    answer = hand_in(ann, pdf()[:-8], "report.pdf")

    assert (answer.status_code, answer.json["reason"]) == (422, "truncated")
    assert files(tmp_path) == []


def test_a_pdf_over_the_limit_is_refused(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    ann = Api(make_app(max_upload_mb=1)).register()

    answer = ann.post("/api/uploads", json={"data": base64.b64encode(pdf() + bytes(1_100_000)).decode()})

    assert answer.status_code == 413
    assert files(tmp_path) == []


@pytest.mark.parametrize("query", ["", "?download=1"])
def test_a_file_is_always_an_attachment_in_a_sandbox(ann: Api, kept: dict[str, Any], query: str) -> None:
    answer = ann.get(kept["src"] + query)

    assert (answer.status_code, answer.data) == (200, pdf("quarterly"))
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="Q3 report.pdf";')
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["ETag"] == f'"{kept["sha256"]}"'


def test_a_part_of_a_file_and_the_original_address_are_attachments_too(ann: Api, kept: dict[str, Any]) -> None:
    part = ann.get(kept["src"], headers={"Range": "bytes=0-7"})
    original = ann.get(f"/static/Storage/uploads/{kept['id']}.pdf")

    assert (part.status_code, part.data) == (206, pdf("quarterly")[:8])
    assert (original.status_code, original.data) == (200, pdf("quarterly"))
    for answer in (part, original):
        assert answer.headers["Content-Disposition"].startswith("attachment")


def test_there_is_no_smaller_rendition(ann: Api, kept: dict[str, Any]) -> None:
    assert ann.get(f"{kept['src']}?w=256").status_code == 404


def test_a_hostile_name_stays_inside_its_header(ann: Api) -> None:
    name = "<script>alert('1')</script> \u202efdp.exe"

    kept = hand_in(ann, pdf(), name).json
    answer = ann.get(kept["src"])

    kind, options = parse_options_header(answer.headers["Content-Disposition"])
    assert (kind, list(options)) == ("attachment", ["filename"])
    assert options["filename"] == "<script>alert('1')<_script> fdp.exe.pdf"
    assert "\u202e" not in options["filename"]
    page = ann.get("/files", headers=HTML).text
    assert "<script>alert" not in page


def test_somebody_elses_file_answers_like_nothing(ann: Api, bob: Api, kept: dict[str, Any]) -> None:
    for path in (kept["src"], f"/static/Storage/uploads/{kept['id']}.pdf", f"/api/images/{kept['id']}"):
        foreign, absent = bob.get(path), bob.get(path.replace(kept["id"], "0" * 32))

        assert foreign.status_code == absent.status_code == 404
        assert {**foreign.json, "request_id": ""} == {**absent.json, "request_id": ""}
        assert ann.get(path).status_code == 200


def test_pictures_and_files_are_listed_apart(ann: Api, kept: dict[str, Any]) -> None:
    drawn = ann.generate()["images"][0]

    pictures, listed = ann.get("/api/images").json["items"], ann.get("/api/images?kind=file").json["items"]

    assert [each["id"] for each in pictures] == [drawn["id"]]
    assert [each["id"] for each in listed] == [kept["id"]]
    assert kept["id"] not in ann.get("/gallery", headers=HTML).text
    assert kept["id"] in ann.get("/files", headers=HTML).text


def test_a_conversation_shows_its_files_beside_its_pictures(
    ann: Api, kept: dict[str, Any], conversation_id: str
) -> None:
    question = ann.get(f"/api/conversation/{conversation_id}").json["messages"][0]
    page = ann.get(f"/c/{conversation_id}", headers=HTML).text

    assert ([each["id"] for each in question["files"]], question["images"]) == ([kept["id"]], [])
    assert "Q3 report.pdf" in page
    assert f"{kept['src']}?w=" not in page


def test_a_link_shows_the_file_for_download_under_its_name(
    ann: Api, visitor: Api, kept: dict[str, Any], conversation_id: str
) -> None:
    link = ann.post(f"/api/conversation/{conversation_id}/share", json={}).json
    base = f"/share/{link['token']}"

    told = visitor.get(f"/api{base}").json["messages"][0]["files"]
    page = visitor.get(base, headers=HTML).text
    answer = visitor.get(f"{base}/i/{kept['id']}")

    assert told == [
        {
            "id": kept["id"],
            "kind": "file",
            "mime_type": "application/pdf",
            "name": "Q3 report.pdf",
            "size": kept["size"],
            "src": f"{base}/i/{kept['id']}",
            "url": f"{base}/i/{kept['id']}",
        }
    ]
    assert f'href="{base}/i/{kept["id"]}"' in page
    assert "data-action" not in page
    assert (answer.data, answer.headers["Content-Disposition"][:10]) == (pdf("quarterly"), "attachment")
    assert visitor.get(f"{base}/preview.jpg").mimetype == "image/jpeg"
    ann.delete(f"/api/shares/{link['id']}")
    assert visitor.get(f"{base}/i/{kept['id']}").status_code == 404


def test_a_permanent_link_to_a_file_downloads_it(ann: Api, visitor: Api, kept: dict[str, Any]) -> None:
    link = ann.post(f"/api/images/{kept['id']}/links", json={"permanent": True}).json

    answer = visitor.get(link["url"].removeprefix("http://localhost"))

    assert (answer.status_code, answer.data) == (200, pdf("quarterly"))
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_a_file_has_a_history(ann: Api, kept: dict[str, Any]) -> None:
    page = ann.get(f"/images/{kept['id']}/history", headers=HTML)

    assert page.status_code == 200
    assert "Q3 report.pdf" in page.text
    assert "0 \u00d7 0" not in page.text


def test_a_deleted_file_answers_nobody(ann: Api, kept: dict[str, Any], conversation_id: str) -> None:
    assert ann.delete(f"/api/images/{kept['id']}").status_code == 200

    assert ann.get(kept["src"]).status_code == 404
    assert ann.get("/api/images?kind=file").json["items"] == []
    assert ann.get(f"/api/conversation/{conversation_id}").json["messages"][0]["files"] == []


def test_a_file_is_sent_to_a_bucket_of_ones_own_and_comes_back(
    make_app: Callable[..., Flask], s3_storage: S3Storage, tmp_path: Path
) -> None:
    ann = Api(make_app(**s3_storage.settings, cloud_wait_seconds=30.0)).register()
    kept = hand_in(ann, pdf("kept twice"), "plan.pdf").json
    (tmp_path / "Storage" / "uploads" / f"{kept['id']}.pdf").unlink()

    answer = ann.get(kept["src"])

    assert states(ann, kept["id"]) == {"s3": "verified"}
    assert (answer.data, answer.headers["X-Image-Source"]) == (pdf("kept twice"), "s3")
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_no_public_host_is_ever_sent_a_file(make_app: Callable[..., Flask], host_settings: dict[str, Any]) -> None:
    ann = Api(make_app(**host_settings)).register()

    kept = hand_in(ann, pdf(), "plan.pdf").json

    assert (kept["service"], kept["durability"]["copies"]) == ("local", [])
