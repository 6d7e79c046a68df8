"""What was done to servers of pictures, tried on ours: forged ids, shares that give more, open routes, given paths."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from tests.fixtures.application import Api
from tests.media.samples import noise, saved
from tests.web.edge.test_guard import BY_LINK, Things, address, ask, routes, same
from tests.web.routes.test_pages import form_token
from tests.web.routes.test_shares import share
from tests.web.test_hygiene import state

HTML = {"Accept": "text/html"}


@dataclass
class Victim:
    """Whose picture the others are after."""

    api: Api
    conversation_id: str
    image: dict[str, Any]
    data: bytes

    @property
    def image_id(self) -> str:
        """The id that somebody got hold of."""
        return str(self.image["id"])


@pytest.fixture
def victim(app: Flask, ann: Api) -> Victim:
    """An account with a picture that is wide enough for a thumbnail; nothing works in the background."""
    made = ann.generate(width=600, height=64)
    app.extensions["chatbot"].worker.close()
    image = made["images"][0]
    return Victim(ann, made["conversation_id"], image, ann.get(image["src"]).data)


def of_the_victim(database: Database[dict[str, Any]], victim: Victim) -> list[str]:
    """Return everything that is stored about the victim, as texts."""
    me = victim.api.get("/api/auth/me").json["id"]
    return [each for documents in state(database).values() for each in documents if me in each]


def says(conversation_id: str, *image_ids: str) -> tuple[str, dict[str, Any]]:
    """Return a message that shows pictures, as a path and a body."""
    return f"/api/conversation/{conversation_id}/messages", {"content": "look", "images": list(image_ids)}


def test_a_forged_id_is_refused_wherever_one_is_named(
    bob: Api, victim: Victim, database: Database[dict[str, Any]]
) -> None:
    own = bob.generate()
    mine, conversation = own["images"][0]["id"], own["conversation_id"]
    data = b64encode(saved(noise((64, 48)), "PNG")).decode()
    before, mine_before = of_the_victim(database, victim), len(bob.get("/api/images").json["items"])

    def requests(image_id: str, conversation_id: str) -> list[tuple[str, dict[str, Any]]]:
        return [
            says(conversation, image_id),
            says(conversation, mine, image_id),
            says(conversation, image_id, image_id),
            says(conversation_id, mine),
            ("/api/generate-image", {"prompt": "a fox", "conversation_id": conversation_id}),
            ("/api/uploads", {"data": data, "conversation_id": conversation_id}),
            (f"/api/conversation/{conversation_id}/share", {}),
            (f"/api/images/{image_id}/links", {"permanent": True}),
            (f"/api/images/{image_id}/restore", {}),
            (f"/api/images/{image_id}/untrash", {}),
            ("/api/trash/restore", {"ids": [image_id]}),
            ("/api/trash/delete", {"ids": [mine, image_id]}),
        ]

    for foreign, absent in zip(
        requests(victim.image_id, victim.conversation_id), requests("0" * 32, "0" * 32), strict=True
    ):
        answers = [same(bob.post(path, json=body)) for path, body in (foreign, absent)]
        assert answers[0] == answers[1], foreign
        assert answers[0][0] == 404, foreign
    assert of_the_victim(database, victim) == before
    assert len(bob.get("/api/images").json["items"]) == mine_before


@pytest.fixture
def forged(bob: Api, victim: Victim, database: Database[dict[str, Any]]) -> dict[str, Any]:
    """Records that name the victim's picture in a conversation and in links of somebody else.

    No request writes such records; if one ever did, or a backup was tampered with, they would still give nothing.
    """
    own = bob.generate(width=64, height=64)
    links = [share(bob, own, live=live) for live in (False, True)]
    taken = {"$set": {"attachments": [victim.image_id]}}
    database["messages"].update_many({"conversation_id": own["conversation_id"]}, taken)
    shown = {"$push": {"image_ids": victim.image_id, "messages.0.attachments": victim.image_id}}
    database["shares"].update_one({"_id": links[0]["id"]}, shown)
    return {**own, "tokens": [link["token"] for link in links]}


def test_a_forged_record_shows_nothing_to_anybody(
    bob: Api, visitor: Api, victim: Victim, forged: dict[str, Any]
) -> None:
    conversation = forged["conversation_id"]
    cards = {visitor.get(f"/share/{token}/preview.jpg").data for token in forged["tokens"]}

    for token in forged["tokens"]:
        for api in (bob, visitor):
            assert api.get(f"/share/{token}/i/{victim.image_id}").status_code == 404
            assert api.get(f"/share/{token}/i/{victim.image_id}?w=256").status_code == 404
            assert victim.data not in api.get(f"/share/{token}/pictures.zip").data
            assert victim.image_id not in api.get(f"/api/share/{token}").text
            assert victim.image_id not in api.get(f"/share/{token}", headers=HTML).text
    assert len(cards) == 1
    assert victim.image_id not in bob.get(f"/api/conversation/{conversation}").text
    assert victim.image_id not in bob.get(f"/c/{conversation}", headers=HTML).text


def test_a_forged_record_copies_nothing(bob: Api, victim: Victim, forged: dict[str, Any]) -> None:
    kept = {victim.image["sha256"], sha256(victim.data).hexdigest()}

    for token in forged["tokens"]:
        assert bob.post(f"/api/share/{token}/continue").status_code == 201

    owned = bob.get("/api/images?limit=200").json["items"]
    assert len(owned) == 3  # one's own, and a copy of it for each link
    assert not kept & {each["sha256"] for each in owned}


@pytest.mark.parametrize("privately", [True, False])
def test_a_forged_record_changes_pins_and_deletes_nothing(
    bob: Api, victim: Victim, forged: dict[str, Any], database: Database[dict[str, Any]], privately: bool
) -> None:
    before = of_the_victim(database, victim)
    conversation = forged["conversation_id"]

    bob.patch(f"/api/conversation/{conversation}", json={"private": privately})
    bob.patch("/api/auth/me", json={"private": privately})
    bob.post(f"/api/conversation/{conversation}/messages/{forged['message_id']}/regenerate")
    after = of_the_victim(database, victim)
    victim.api.delete(f"/api/conversation/{victim.conversation_id}")
    bob.delete(f"/api/conversation/{conversation}?revoke_shares=true")

    assert after == before
    assert victim.api.get(f"/i/{victim.image_id}").status_code == 404  # its own owner's deletion holds


GIVEN = {
    "path": "/etc/passwd",
    "file": "/etc/passwd",
    "files": ["/etc/passwd"],
    "local_path": "Image_Gen/../../../../etc/passwd",
    "folder": "..",
    "filename": "../../.env",
    "original_name": "../../.env",
    "original_url": "/static/Storage/Image_Gen/x.png",
    "storage_key": "../x",
    "url": "file:///etc/passwd",
    "cloud_url": "https://i.ibb.co/x/y.png",
    "delete_url": "https://ibb.co/x/y",
    "src": "/etc/passwd",
    "service": "imgbb",
    "copies": [{"host": "imgbb", "url": "https://i.ibb.co/x/y.png", "state": "verified"}],
    "sha256": "0" * 64,
    "id": "0" * 32,
    "_id": "0" * 32,
    "owner_id": "0" * 32,
    "user_id": "0" * 32,
    "role": "admin",
    "kind": "picture",
    "state": "stored",
    "status": "complete",
    "local": "present",
    "trashed_at": None,
    "token_hash": "0" * 64,
    "image_ids": ["0" * 32],
    "attachments": ["0" * 32],
    "metadata": {"a": "b"},
    "__proto__": {"admin": True},
    "constructor": {"admin": True},
}
"""Fields of stored documents, and names that servers took a path from."""


def properties(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any] | None:
    """Return the fields of an operation's JSON body; None when it takes none."""
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if schema is None:
        return None
    name = schema.get("$ref", "").rpartition("/")[2]
    shapes = schema.get("anyOf", [document["components"]["schemas"][name] if name else schema])
    return {field: told for shape in shapes for field, told in shape["properties"].items()}


def test_a_field_that_is_not_described_is_refused_in_every_body(visitor: Api, ann: Api, bob: Api) -> None:
    document = visitor.get("/openapi.json").json
    things = vars(Things.of(bob))
    tried = 0

    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            fields = properties(document, operation)
            if fields is None or path == "/api/uploads":
                continue
            api = ann if path.startswith("/api/admin") else bob
            for name, value in GIVEN.items():
                if name in fields:
                    continue
                answer = api._send(method.upper(), path.format(**things), {"json": {name: value}})
                assert answer.status_code == 422, (method, path, name, answer.text)
                refused = {each["field"]: each["reason"] for each in answer.json["errors"]}
                assert refused[name] == "Extra inputs are not permitted", (method, path, name)
                tried += 1

    assert tried > 300


def test_an_upload_takes_its_bytes_and_nothing_else_from_the_one_who_sends_it(
    bob: Api, victim: Victim, tmp_path: Path, database: Database[dict[str, Any]]
) -> None:
    photo = saved(noise((64, 48)), "PNG")
    given = {**GIVEN, "owner_id": victim.api.get("/api/auth/me").json["id"], "id": victim.image_id}
    before = of_the_victim(database, victim)
    texts = {name: str(value) for name, value in given.items() if name != "file"}

    encoded = b64encode(photo).decode()
    for name, value in given.items():
        refused = bob.post("/api/uploads", json={name: value, "data": encoded})
        assert refused.status_code == 422, (name, refused.text)
    by_json = bob.post("/api/uploads", json={"data": encoded})
    by_form = bob.post("/api/uploads", data={**texts, "file": (BytesIO(photo), "../../.env")})

    me = bob.get("/api/auth/me").json["id"]
    for answer in (by_json, by_form):
        assert answer.status_code == 201, answer.text
        stored = database["messages"].find_one({"images.id": answer.json["id"]})
        assert stored
        (image,) = stored["images"]
        assert (stored["owner_id"], image["owner_id"], stored["role"]) == (me, me, "upload")
        assert image["id"] not in given.values()
        assert (image["folder"], image["filename"]) == ("uploads", f"{image['id']}.png")
        assert (image["copies"], image["original_url"], image["metadata"]) == ([], None, {})
    assert {each.name for each in tmp_path.iterdir()} == {"Storage"}
    assert of_the_victim(database, victim) == before


PATHS = ("/etc/passwd", "file:///etc/passwd", "{id}", "/i/{id}", "/static/Storage/Image_Gen/{id}.png", "")
ADDRESSES = (*PATHS, "file:/i/{id}", "http:///i/{id}", "data:,x", "blob:x", "\\\\host\\share")


def test_a_path_in_place_of_a_picture_is_refused(bob: Api, victim: Victim) -> None:
    bodies: list[dict[str, Any]] = [
        *({"url": each.format(id=victim.image_id)} for each in ADDRESSES),
        *({"data": each.format(id=victim.image_id)} for each in (*PATHS, "data:text/plain,/etc/passwd")),
        *({name: "/etc/passwd"} for name in ("path", "file", "local_path", "filename")),
        *({name: {"path": "/etc/passwd"}} for name in ("url", "data")),
    ]

    for body in bodies:
        answer = bob.post("/api/uploads", json=body)
        assert (answer.status_code, answer.mimetype) == (422, "application/problem+json"), body

    assert bob.get("/api/images").json["items"] == []


def test_a_path_in_place_of_a_file_in_a_form_is_refused(bob: Api) -> None:
    for form in ({"file": "/etc/passwd"}, {"path": "/etc/passwd"}, {"file.path": "/etc/passwd", "file.name": "a.png"}):
        answer = bob.post("/api/uploads", data=form, content_type="multipart/form-data")

        assert answer.status_code == 422, form
    assert bob.get("/api/images").json["items"] == []


def test_whoever_reads_a_shared_conversation_may_do_nothing_more(
    app: Flask, bob: Api, visitor: Api, victim: Victim, database: Database[dict[str, Any]]
) -> None:
    things = vars(Things.of(victim.api)) | {"image_id": victim.image_id, "conversation_id": victim.conversation_id}
    made = {"conversation_id": victim.conversation_id}
    tokens = [share(victim.api, made, live=True)["token"], share(victim.api, made, password="open sesame")["token"]]
    for api in (bob, visitor):
        field = form_token(api.get(f"/share/{tokens[1]}", headers=HTML).text)
        api.post(f"/share/{tokens[1]}", data={"csrf_token": field, "password": "open sesame"})
        assert {api.get(f"/share/{token}/i/{victim.image_id}").status_code for token in tokens} == {200}
    before, tried = of_the_victim(database, victim), 0

    for (route, method), token in product(routes(app), tokens):
        if not {"image_id", "conversation_id", "message_id"} & set(route.arguments) or route.endpoint in BY_LINK:
            continue
        path = address(app, route, things)
        for api in (bob, visitor):
            claims = {"X-Share-Token": token, "Referer": f"http://localhost/share/{token}"}
            if api is visitor:
                claims["Authorization"] = f"Bearer {token}"
            asked = _claiming(api, claims)
            answer = ask(asked, method, f"{path}?share={token}&token={token}", route.endpoint)
            assert answer.status_code in (401, 403, 404) or answer.location.startswith("/login"), route.endpoint
            assert victim.data not in answer.get_data()
            tried += 1

    assert tried > 60
    assert of_the_victim(database, victim) == before


def _claiming(api: Api, claims: dict[str, str]) -> Api:
    """Return the same person, who sends more headers."""
    other = Api(api.http.application)
    other.http, other.headers = api.http, {**api.headers, **claims}
    return other


def test_no_address_of_a_picture_gives_it_to_a_stranger(
    app: Flask, ann: Api, bob: Api, visitor: Api, victim: Victim
) -> None:
    theirs = bob.generate(width=64, height=64)
    their_share = share(bob, theirs)["token"]
    their_link = bob.post(f"/api/images/{theirs['images'][0]['id']}/links", json={"permanent": True}).json["url"]
    program = Api(app)
    program.headers["Authorization"] = f"Bearer {bob.post('/api/tokens', json={}).json['token']}"
    revoked = Api(app)
    made = ann.post("/api/tokens", json={}).json
    revoked.headers["Authorization"] = f"Bearer {made['token']}"
    ann.delete(f"/api/tokens/{made['id']}")
    name = f"{victim.image_id}.png"
    paths = [
        f"/i/{victim.image_id}",
        f"/static/Storage/Image_Gen/{name}",
        f"/static/Storage/thumbnails/{victim.image_id}_256.webp",
        f"/share/{their_share}/i/{victim.image_id}",
        f"/share/{victim.image_id}/i/{victim.image_id}",
        f"/share/{victim.image_id}/preview.jpg",
        f"/share/{victim.image_id}/pictures.zip",
        f"/linked/{victim.image_id}",
        f"{their_link.removeprefix('http://localhost')}/{victim.image_id}",
        f"/api/images/{victim.image_id}",
        f"/api/trash/{victim.image_id}/thumbnail",
        f"/Storage/Image_Gen/{name}",
    ]
    etag = ann.get(victim.image["src"]).headers["ETag"]
    headers: tuple[dict[str, str], ...] = ({}, {"If-None-Match": etag}, {"If-None-Match": "*"}, {"Range": "bytes=0-9"})
    queries = ("", "?w=256", "?download=1", "?crop=1", "?w=512&download=1")

    for stranger in (bob, visitor, program, revoked):
        for path, query, sent, method in product(paths, queries, headers, ("GET", "HEAD")):
            answer = stranger._send(method, f"{path}{query}", {"headers": dict(sent)})
            assert answer.status_code in (401, 404), (path, query, sent, answer.status_code)
            assert not answer.content_type.startswith("image/")
            assert "ETag" not in answer.headers
            assert "X-Image-Source" not in answer.headers
