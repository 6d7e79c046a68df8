"""The trash over HTTP: the list, the small versions, taking back, deleting for good, the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from ChatBot.models import new_id
from tests.fixtures.application import Api
from tests.media.samples import pdf
from tests.standins.hosts import HostServer
from tests.web.test_uploads import hand_in

HTML = {"Accept": "text/html", "Accept-Language": "en"}


def deleted(owner: Api, prompt: str = "a red fox", count: int = 1) -> list[str]:
    """Draw pictures wide enough for a thumbnail and put them into the trash; returns their ids."""
    made = owner.generate(prompt, width=320, height=256, count=count)["images"]
    for image in made:
        assert owner.delete(f"/api/images/{image['id']}").status_code == 200
    return [image["id"] for image in made]


def listed(owner: Api) -> list[str]:
    """Return the ids of what is in the trash."""
    return [item["id"] for item in owner.get("/api/trash").json["items"]]


def test_what_was_deleted_is_listed_with_its_end(ann: Api) -> None:
    (image_id,) = deleted(ann)

    (item,) = ann.get("/api/trash").json["items"]

    assert item["id"] == image_id
    assert item["prompt"] == "a red fox"
    assert item["ends_at"] > item["trashed_at"]
    assert item["thumbnail_url"] == f"/api/trash/{image_id}/thumbnail"
    assert "src" not in item


def test_the_list_goes_on_where_it_stopped(ann: Api) -> None:
    wanted = set(deleted(ann, count=3))

    first = ann.get("/api/trash?limit=2").json
    second = ann.get(f"/api/trash?limit=2&cursor={first['next_cursor']}").json

    assert {item["id"] for item in (*first["items"], *second["items"])} == wanted
    assert second["next_cursor"] is None


def test_the_owner_sees_it_in_the_trash_and_nobody_sees_it_anywhere_else(ann: Api, bob: Api, visitor: Api) -> None:
    (image_id,) = deleted(ann)
    path = f"/api/trash/{image_id}/thumbnail"

    seen = ann.get(path)

    assert (seen.status_code, seen.mimetype) == (200, "image/webp")
    assert seen.headers["Cache-Control"] == "private, no-store"
    assert ann.get(f"/i/{image_id}").status_code == 404
    assert ann.get(f"/api/images/{image_id}").status_code == 404
    assert bob.get(path).status_code == 404
    assert visitor.get(path).status_code == 401


def test_a_restored_picture_shows_again_everywhere(ann: Api) -> None:
    ids = deleted(ann, count=2)

    answer = ann.post("/api/trash/restore", json={"ids": ids})

    assert answer.status_code == 200
    assert {item["id"] for item in answer.json["items"]} == set(ids)
    assert listed(ann) == []
    assert all(ann.get(f"/i/{image_id}").status_code == 200 for image_id in ids)


def test_what_is_deleted_for_good_cannot_be_restored(ann: Api) -> None:
    (image_id,) = deleted(ann)

    answer = ann.post("/api/trash/delete", json={"ids": [image_id]})

    assert answer.json == {"items": [{"id": image_id, "remote": "confirmed"}]}
    assert listed(ann) == []
    assert ann.post("/api/trash/restore", json={"ids": [image_id]}).status_code == 404
    assert ann.post(f"/api/images/{image_id}/untrash", json={}).status_code == 404
    assert ann.get(f"/api/trash/{image_id}/thumbnail").status_code == 404


@pytest.mark.parametrize("verb", ["restore", "delete"])
def test_somebody_elses_trash_answers_like_nothing_and_takes_the_batch_with_it(ann: Api, bob: Api, verb: str) -> None:
    (hers,), (his,) = deleted(ann), deleted(bob)

    foreign = bob.post(f"/api/trash/{verb}", json={"ids": [his, hers]})
    absent = bob.post(f"/api/trash/{verb}", json={"ids": [his, new_id()]})

    assert foreign.status_code == absent.status_code == 404
    assert foreign.json["detail"] == absent.json["detail"]
    assert (listed(ann), listed(bob)) == ([hers], [his])


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": ["x"] * 501}, {"ids": [7]}, {"ids": [{"$ne": ""}]}])
def test_a_choice_that_is_none_is_refused(ann: Api, body: dict[str, Any]) -> None:
    deleted(ann)

    answer = ann.post("/api/trash/delete", json=body)

    assert answer.status_code == 422
    assert len(listed(ann)) == 1


@pytest.fixture
def kim(make_app: Callable[..., Flask], host_settings: dict[str, Any]) -> Api:
    """Somebody whose pictures also go to the cloud."""
    return Api(make_app(**host_settings)).register("kim")


def test_deleting_for_good_takes_the_cloud_copy_along(kim: Api, hosts: HostServer) -> None:
    (image_id,) = deleted(kim)

    before = len(hosts.postimages.live)

    answer = kim.post("/api/trash/delete", json={"ids": [image_id]})

    assert (before, len(hosts.postimages.live)) == (1, 0)
    assert answer.json["items"] == [{"id": image_id, "remote": "confirmed"}]


def test_a_host_that_is_down_is_named_until_its_copy_is_gone(kim: Api, hosts: HostServer) -> None:
    (image_id,) = deleted(kim)
    hosts.postimages.deletion_ignored = True

    answer = kim.post("/api/trash/delete", json={"ids": [image_id]})

    assert answer.json["items"] == [{"id": image_id, "remote": "pending"}]
    (item,) = kim.get("/api/trash").json["items"]
    assert (item["ends_at"], item["thumbnail_url"]) == (None, None)
    assert [copy["host"] for copy in item["durability"]["copies"]] == ["postimages"]
    page = kim.get("/trash", headers=HTML).text
    assert "Being deleted for good." in page
    assert "postimages still has it." in page


def form(api: Api, **fields: Any) -> Any:
    """Send the page's form as a browser does."""
    token = api.headers["X-CSRF-Token"]
    return api.post("/trash", data={"csrf_token": token, **fields}, headers=HTML)


def test_the_form_restores_what_is_ticked_and_says_how_many(ann: Api) -> None:
    ids = deleted(ann, count=3)

    answer = form(ann, id=ids[:2], do="restore")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/trash?restored=2")
    page = ann.get("/trash?restored=2", headers=HTML).text
    assert "2 things are back where they were." in page
    assert listed(ann) == [ids[2]]


def test_the_button_of_one_tile_restores_only_that_one(ann: Api) -> None:
    ids = deleted(ann, count=2)

    form(ann, id=[ids[0]], restore=ids[1])

    assert listed(ann) == [ids[0]]


def test_the_form_deletes_for_good_what_is_ticked(ann: Api) -> None:
    ids = deleted(ann, count=2)

    answer = form(ann, id=ids[:1], do="delete")

    assert answer.headers["Location"] == "/trash?confirmed=1"
    assert listed(ann) == [ids[1]]


def test_the_form_without_a_choice_changes_nothing(ann: Api) -> None:
    ids = deleted(ann)

    answer = form(ann, do="delete")

    assert answer.status_code == 303
    assert listed(ann) == ids


def test_the_page_says_how_long_things_stay_and_names_files(ann: Api) -> None:
    upload = hand_in(ann, pdf("q3"), "Q3 report.pdf")
    ann.delete(f"/api/images/{upload.json['id']}")

    page = ann.get("/trash", headers=HTML).text

    assert "stays here for 30 days" in page
    assert "30 days left" in page
    assert "Q3 report.pdf" in page


def test_an_empty_trash_says_what_it_is_for(ann: Api) -> None:
    page = ann.get("/trash", headers=HTML).text

    assert "The trash is empty" in page
    assert "30 days" in page


def test_a_quoted_prompt_stays_text_in_the_trash(ann: Api) -> None:
    deleted(ann, '"><script>alert(1)</script>')

    page = ann.get("/trash", headers=HTML).text

    assert "<script>alert" not in page
