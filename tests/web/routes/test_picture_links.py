"""Links to pictures over HTTP: sight of one picture for whoever has the link, and nothing more."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.fixtures.application import Api


@pytest.fixture
def image_id(ann: Api) -> str:
    return str(ann.generate()["images"][0]["id"])


def link(api: Api, image_id: str, **body: object) -> str:
    """Make a link and return its path."""
    answer = api.post(f"/api/images/{image_id}/links", json=body)
    assert answer.status_code == 201, answer.text
    return urlsplit(str(answer.json["url"])).path


@pytest.mark.parametrize("body", [{}, {"permanent": True, "name": "blog"}])
def test_a_link_shows_the_picture_to_anybody(ann: Api, visitor: Api, image_id: str, body: dict[str, object]) -> None:
    path = link(ann, image_id, **body)

    answer = visitor.get(path)

    assert answer.status_code == 200
    assert answer.data == ann.get(f"/i/{image_id}").data
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "private" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("body", [{}, {"permanent": True}])
def test_after_the_end_also_a_cached_picture_is_refused(
    ann: Api, visitor: Api, image_id: str, body: dict[str, object]
) -> None:
    path = link(ann, image_id, **body)
    etag = visitor.get(path).headers["ETag"]

    ended = ann.delete("/api/links")
    answers = [visitor.get(each, headers={"If-None-Match": etag}) for each in (path, f"{path}?w=256")]

    assert ended.status_code == 200
    assert [each.status_code for each in answers] == [404, 404]


def test_a_link_opens_no_other_route(ann: Api, visitor: Api, image_id: str) -> None:
    token = link(ann, image_id, permanent=True).rsplit("/", 1)[1]

    answers = [
        visitor.get(f"/share/{token}"),
        visitor.get(f"/share/{token}/i/{image_id}"),
        visitor.get(f"/i/{image_id}", headers={"Authorization": f"Bearer {token}"}),
        visitor.delete(f"/linked/{token}"),
    ]

    assert [each.status_code for each in answers] == [404, 404, 401, 405]


def test_a_link_tells_nothing_about_its_owner(ann: Api, image_id: str) -> None:
    made = ann.post(f"/api/images/{image_id}/links", json={"permanent": True}).json
    listed = ann.get("/api/links").json["items"]

    assert set(made) == {"id", "image_id", "name", "created_at", "last_used_at", "expires_at", "url"}
    assert [set(each) for each in listed] == [{"id", "image_id", "name", "created_at", "last_used_at"}]


@pytest.mark.parametrize("body", [{"expires_in": 59}, {"expires_in": 604_801}, {"permanent": True, "expires_in": 60}])
def test_a_wrong_life_is_refused_with_a_reason(ann: Api, image_id: str, body: dict[str, object]) -> None:
    answer = ann.post(f"/api/images/{image_id}/links", json=body)

    assert answer.status_code in (400, 422)
    assert answer.json["detail"]


def test_the_history_page_makes_a_link_and_shows_it_once(ann: Api, visitor: Api, image_id: str) -> None:
    page = ann.post(f"/images/{image_id}/links", data={"name": "the blog"})
    path = urlsplit(page.text.split('id="link-value" readonly class="mono" value="')[1].split('"')[0]).path

    again = ann.get(f"/images/{image_id}/history").text
    settings = ann.get("/settings").text

    assert visitor.get(path).status_code == 200
    assert path not in again
    assert path not in settings
    assert "the blog" in settings
