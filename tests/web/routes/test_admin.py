"""Administrators see the installation, owners the history of their pictures, and quotas answer by name."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from ChatBot.container import Services
from ChatBot.db.samples import Sample
from ChatBot.db.tasks import Line
from ChatBot.models import now
from ChatBot.services.upkeep.maintenance import WOULD_MOVE
from ChatBot.web.context import EXTENSION
from tests.fixtures.application import Api
from tests.services.workshop import at_once, picture
from tests.standins.hosts import HostServer
from tests.web.routes.test_pages import Page, form_token

HTML = {"Accept": "text/html"}
WAIT_SECONDS = 60.0


def services_of(app: Flask) -> Services:
    found: Services = app.extensions[EXTENSION]
    return found


def finished(api: Api) -> dict[str, Any]:
    """Wait until the task of the installation is done and return it."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        task: dict[str, Any] = api.get("/api/admin/overview").json["task"]
        if task["state"] != "running":
            return task
        time.sleep(0.05)
    raise AssertionError("the task did not end")


def hand_in(api: Api, number: int) -> Any:
    return api.post("/api/uploads", data={"file": (BytesIO(picture(number)), "a.png")})


def samples(services: Services) -> None:
    at = now().replace(microsecond=0) - timedelta(hours=3)
    for number in range(3):
        services.repositories.samples.add(
            Sample(
                at=at + timedelta(hours=number),
                originals_bytes=1_234_567_890,
                thumbnails_bytes=45_600,
                free_bytes=10**12,
                outbox_depth=number,
            )
        )


def test_the_page_shows_the_installation_in_numbers_for_people(app: Flask, ann: Api) -> None:
    ann.generate()
    samples(services_of(app))

    html = ann.get("/admin", headers=HTML).text

    page = Page(html)
    assert (page.misnested, page.inline, page.open) == ([], [], [])
    assert not any(
        "style" in attributes or any(a.startswith("on") for a in attributes) for _, attributes in page.elements
    )
    assert "1.2 GB" in html
    assert "45.6 kB" in html
    rows = [attributes for attributes in page.all("tr") if "data-at" in attributes]
    assert [row["data-owed"] for row in rows] == ["2", "1", "0"]
    assert {script.get("type") for script in page.all("script") if "charts" in str(script.get("src"))} == {"module"}


def test_the_page_works_without_any_measurement_host_or_picture(ann: Api) -> None:
    answer = ann.get("/admin?days=nonsense", headers=HTML)

    assert answer.status_code == 200
    assert "every ten minutes" in answer.text


def test_the_overview_is_the_same_for_programs(app: Flask, ann: Api) -> None:
    ann.generate()
    samples(services_of(app))

    body = ann.get("/api/admin/overview?days=7").json

    assert body["totals"]["pictures"] == 1
    assert body["outbox"] == {"depth": 0, "oldest_at": None, "oldest_seconds": None}
    assert body["samples"][0]["originals_bytes"] == 1_234_567_890
    assert (body["task"], body["failures"], body["orphans"]) == (None, [], [])
    assert ann.get("/api/admin/overview?days=91").status_code == 422


def test_a_failed_copy_is_retried_from_the_page_and_by_programs(
    make_app: Callable[..., Flask], hosts: HostServer, host_settings: dict[str, Any]
) -> None:
    app = make_app(**{**host_settings, "cloud_hosts": ("imgbb",), "cloud_wait_seconds": 10})
    ann = Api(app).register()
    image_id = ann.generate()["images"][0]["id"]
    spoil(app, image_id)

    html = ann.get("/admin", headers=HTML).text
    sent = ann.post(
        "/admin/retry", data={"csrf_token": form_token(html), "image_id": image_id, "host": "imgbb"}, headers=HTML
    )
    spoil(app, image_id)
    by_program = ann.post(f"/api/admin/images/{image_id}/retry", json={"host": "imgbb"})
    again = ann.post(f"/api/admin/images/{image_id}/retry", json={"host": "unknown"})

    assert image_id[:12] in html
    assert "the disk is full there" in html
    assert hosts.base_url not in html
    assert (sent.status_code, sent.headers["Location"]) == (303, "/admin#failures")
    assert (by_program.status_code, again.status_code) == (204, 404)


def spoil(app: Flask, image_id: str) -> None:
    """Let the one copy of a picture be refused, whatever became of it."""
    images = services_of(app).repositories.images
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        located = images.find(image_id)
        assert located is not None
        (old,) = located.image.copies
        changes = {"state": "refused", "error": "the disk is full there, http://127.0.0.1/x", "next_at": None}
        settled = {"lease_owner": None, "lease_until": None}
        if old.state == "verified" and images.set_copy(image_id, old, old.model_copy(update={**changes, **settled})):
            return
        time.sleep(0.05)
    raise AssertionError("the copy did not settle")


def test_a_restore_is_started_from_the_page_and_its_progress_asks_for_itself(app: Flask, ann: Api) -> None:
    ann.generate()
    token = form_token(ann.get("/admin", headers=HTML).text)

    started = ann.post("/admin/tasks", data={"csrf_token": token, "kind": "restore", "apply": "0"}, headers=HTML)
    task = finished(ann)
    fragment = ann.get("/admin/task").text

    assert (started.status_code, started.headers["Location"]) == (303, "/admin#maintenance")
    assert (task["state"], task["kind"], task["apply"], task["started_by"]) == ("finished", "restore", False, "ann")
    assert "Pictures checked: 1, without an intact local file: 0." in fragment
    assert "hx-trigger" not in fragment
    services_of(app).repositories.tasks.claim("another", "restore", "ann", apply=True, total=4)
    running = ann.get("/admin/task").text
    assert 'hx-get="/admin/task" hx-trigger="every 2s"' in running
    assert 'max="4" value="0"' in running


def test_a_clean_up_is_previewed_before_it_can_be_applied(ann: Api) -> None:
    ann.generate()

    too_early = ann.post("/api/admin/tasks", json={"kind": "cleanup", "apply": True})
    preview = ann.post("/api/admin/tasks", json={"kind": "cleanup"})

    assert (too_early.status_code, preview.status_code) == (422, 202)
    assert finished(ann)["state"] == "finished"


def test_a_task_that_is_not_known_is_refused(ann: Api) -> None:
    token = form_token(ann.get("/admin", headers=HTML).text)

    by_form = ann.post("/admin/tasks", data={"csrf_token": token, "kind": "format"})
    by_program = ann.post("/api/admin/tasks", json={"kind": "format"})

    assert (by_form.status_code, by_program.status_code) == (422, 422)


def test_administrators_see_where_a_picture_went_and_never_the_picture(ann: Api, bob: Api) -> None:
    his = bob.generate("a secret garden")["images"][0]["id"]

    page = ann.get(f"/admin/images/{his}", headers=HTML)
    body = ann.get(f"/api/admin/images/{his}").json

    assert page.status_code == 200
    assert "bob" in page.text
    assert "Saved on this server" in page.text
    assert "secret garden" not in page.text
    assert f"/i/{his}" not in page.text
    assert body["image"]["durability"]["local"] == "present"
    assert [entry["what"] for entry in body["history"]] == ["stored"]
    assert ann.get(f"/i/{his}").status_code == 404


@pytest.mark.parametrize("path", ["/admin", "/admin/task", "/api/admin/overview"])
def test_members_and_visitors_see_nothing_of_it(bob: Api, visitor: Api, path: str) -> None:
    assert bob.get(path).status_code == 403
    assert visitor.get(path).status_code == 401


def test_an_owner_reads_the_history_of_a_picture(ann: Api) -> None:
    image_id = ann.generate()["images"][0]["id"]

    body = ann.get(f"/api/images/{image_id}/history").json
    page = ann.get(f"/images/{image_id}/history", headers=HTML).text
    conversation = ann.get("/api/images").json["items"][0]

    assert body["next_cursor"] is None
    assert [(entry["what"], entry["times"]) for entry in body["items"]] == [("stored", 1)]
    assert "Saved on this server" in page
    assert Page(page).misnested == []
    assert conversation["id"] == image_id


def test_the_history_of_a_foreign_a_trashed_and_an_absent_picture_answer_alike(ann: Api, bob: Api) -> None:
    hers = ann.generate()["images"][0]["id"]
    trashed = bob.generate()["images"][0]["id"]
    bob.delete(f"/api/images/{trashed}")

    for form in ("/api/images/{}/history", "/images/{}/history"):
        statuses = {bob.get(form.format(each)).status_code for each in (hers, trashed, "0" * 32, "nonsense")}
        assert statuses == {404}


def test_a_card_leads_to_its_history(ann: Api) -> None:
    made = ann.generate()

    html = ann.get(f"/c/{made['conversation_id']}", headers=HTML).text

    assert f'href="/images/{made["images"][0]["id"]}/history"' in html


def test_a_used_up_quota_answers_429_and_names_itself(make_app: Callable[..., Flask]) -> None:
    app = make_app(image_per_user_limit=1)
    ann = Api(app).register()
    ann.generate()

    drawn = ann.post("/api/generate-image", json={"prompt": "a second fox", "width": 256, "height": 256})
    uploaded = hand_in(ann, 1)

    for refused in (drawn, uploaded):
        assert refused.status_code == 429
        assert refused.mimetype == "application/problem+json"
        assert refused.json["type"].endswith("quota-exceeded")
        assert "IMAGE_PER_USER_LIMIT" in refused.json["detail"]


def test_of_two_requests_for_the_last_place_one_gets_it_and_the_other_429(make_app: Callable[..., Flask]) -> None:
    app = make_app(image_per_user_limit=1)
    ann = Api(app).register()
    people = [Api(app) for _ in range(2)]
    for person in people:
        person.headers["Authorization"] = f"Bearer {ann.post('/api/tokens', json={}).json['token']}"
    wanted = {"prompt": "a fox", "width": 256, "height": 256}

    answers = at_once(lambda number: people[number].post("/api/generate-image", json=wanted), 2)

    assert sorted(answer.status_code for answer in answers) == [201, 429], [answer.text for answer in answers]
    assert len(ann.get("/api/images").json["items"]) == 1


def test_settings_say_how_much_of_the_quota_is_used(make_app: Callable[..., Flask]) -> None:
    app = make_app(image_per_user_limit=2000, user_quota_mb=500)
    ann = Api(app).register()
    ann.generate()

    html = ann.get("/settings", headers=HTML).text

    assert "1 of 2,000 pictures" in html
    assert "of 500 MB" in html


def test_settings_say_how_much_is_kept_without_a_quota(ann: Api) -> None:
    html = ann.get("/settings", headers=HTML).text

    assert "0 pictures" in html
    assert "0 bytes" in html


def test_looking_at_a_picture_is_noted_for_the_day(app: Flask, ann: Api) -> None:
    image_id = ann.generate()["images"][0]["id"]
    services = services_of(app)

    ann.get(f"/i/{image_id}?w=256")
    services.stewardship.viewing.flush()

    assert services.repositories.views.viewed_on(image_id) is not None


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Would move into quarantine: 1,234 local copies and 2 stray files (5.5 MB)."),
        ("vi", "Sẽ chuyển vào khu cách ly: 1.234 bản sao cục bộ và 2 tệp lạc (5,5 MB)."),
    ],
)
def test_what_came_of_a_task_is_said_in_the_language_of_the_page(
    app: Flask, ann: Api, language: str, said: str
) -> None:
    tasks = services_of(app).repositories.tasks
    run = tasks.claim("this", "cleanup", "ann", apply=False, total=4)
    counts: dict[str, int | str] = {"copies": 1234, "stray": 2, "size": 5_500_000}
    tasks.finish(run.run_id, "finished", [Line(text=WOULD_MOVE, values=counts), Line(text="100% of ab: gone")])

    page = ann.get("/admin", headers={**HTML, "Accept-Language": language}).text
    program = ann.get("/api/admin/overview", headers={"Accept-Language": language}).json["task"]["lines"]

    assert said in page
    assert "100% of ab: gone" in page
    assert program[0] == "Would move into quarantine: 1,234 local copies and 2 stray files (5.5 MB)."


def test_sentences_of_a_task_of_an_earlier_version_are_shown_as_they_are(
    app: Flask, ann: Api, database: Database[dict[str, Any]]
) -> None:
    services_of(app).repositories.tasks.claim("this", "restore", "ann", apply=False, total=4)
    database["tasks"].update_one({}, {"$set": {"state": "finished", "lines": ["7 restored, 50% of them twice."]}})

    page = ann.get("/admin", headers=HTML).text

    assert "7 restored, 50% of them twice." in page
