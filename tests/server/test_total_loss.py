"""Everything on one side is lost; the commands of an operator bring it back from the other side."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ChatBot.hosts.bucket import Bucket
from ChatBot.outbound import Gate
from tests.fixtures.disk import take_away
from tests.fixtures.s3 import S3Storage
from tests.fixtures.server import Person, ServerProcess, eventually
from tests.standins.hosts import HostServer

pytestmark = pytest.mark.server

MakeServer = Callable[..., ServerProcess]


@dataclass
class Cloud:
    """A place for copies: the variables that choose it, and how it loses the picture of that id and file name."""

    environment: dict[str, str]
    lose: Callable[[str], None]


def imgbb_stand_in(hosts: HostServer) -> Cloud:
    def lose(_filename: str) -> None:
        hosts.imgbb.stored[-1].deleted = True

    return Cloud({**hosts.environment, "CLOUD_HOSTS": "imgbb"}, lose)


def bucket(storage: S3Storage) -> Cloud:
    def lose(filename: str) -> None:
        account: dict[str, Any] = {
            "access_key": storage.access_key,
            "secret_key": storage.secret_key,
            "region": "us-east-1",
        }
        Bucket(storage.bucket, endpoint_url=storage.endpoint_url, gate=Gate(), **account).delete(f"pictures/{filename}")

    return Cloud({name.upper(): value for name, value in storage.settings.items()}, lose)


@pytest.fixture(params=["imgbb", "s3"])
def cloud(request: pytest.FixtureRequest) -> Cloud:
    if request.param == "s3":
        return bucket(request.getfixturevalue("s3_storage"))
    return imgbb_stand_in(request.getfixturevalue("hosts"))


def verified(person: Person, image_id: str) -> bool:
    copies = person.get(f"/api/images/{image_id}").json()["durability"]["copies"]
    return [copy["state"] for copy in copies] == ["verified"]


def ran(server: ServerProcess, *words: str) -> tuple[int, dict[str, Any]]:
    """Run a command with ``--json`` and return its exit code and the one object it prints."""
    done = server.command(*words, "--json")
    assert done.stdout.count("\n") == 1, done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout)


def test_all_of_storage_is_deleted_under_a_running_server_and_restored(make_server: MakeServer, cloud: Cloud) -> None:
    server = make_server(**cloud.environment).start()
    with Person(server) as person:
        person.register()
        images = [image for _ in range(3) for image in person.draw()["images"]]
        assert eventually(lambda: all(verified(person, image["id"]) for image in images))
        files = {path.name: path.read_bytes() for path in (server.folder / "Storage" / "Image_Gen").iterdir()}
        *safe, lost = [image["id"] for image in images]
        lost_file = next(name for name in files if name.startswith(lost))

        take_away(server.folder / "Storage")
        cloud.lose(lost_file)
        server.terminate()
        server.start()
        code, report = ran(server, "images", "restore", "--apply")
        again, rest = ran(server, "images", "restore", "--apply")

        assert (code, again) == (3, 3)
        assert sorted(report["restored"]) == sorted(safe)
        assert list(report["lost"]) == list(rest["lost"]) == [lost]
        assert rest["restored"] == []
        restored = {path.name: path.read_bytes() for path in (server.folder / "Storage" / "Image_Gen").iterdir()}
        assert restored == {name: data for name, data in files.items() if name != lost_file}
        sources = [person.get(f"/i/{image_id}").headers["X-Image-Source"] for image_id in safe]
        assert sources == ["local", "local"]
    server.remove()


@dataclass
class Remembered:
    """What an account sees of its pictures and shares."""

    titles: list[str]
    pictures: list[tuple[str, str, tuple[str, ...], bytes]]
    shares: list[str]
    pages: dict[str, int]


def remembered(person: Person, tokens: list[str]) -> Remembered:
    items = person.get("/api/images").json()["items"]
    return Remembered(
        [each["title"] for each in person.get("/api/conversations").json()["items"]],
        [(each["id"], each["caption"], tuple(each["tags"]), person.get(f"/i/{each['id']}").content) for each in items],
        [each["id"] for each in person.get("/api/shares").json()["items"]],
        {token: person.get(f"/share/{token}").status_code for token in tokens},
    )


def everything_recorded(storage: Path, words: str) -> bool:
    return any(words in path.read_text() for path in (storage / "records").glob("m-*.json"))


def test_mongodb_is_wiped_and_rebuilt_from_the_files(make_server: MakeServer) -> None:
    server = make_server().start()
    with Person(server) as person:
        made = person.register("ann").draw("a red fox")
        image_id, place = made["images"][0]["id"], f"/api/conversation/{made['conversation_id']}/share"
        opened, closed = (person.post(place, json={}).json() for _ in range(2))
        person.delete(f"/api/shares/{closed['id']}")
        person.patch(f"/api/images/{image_id}", json={"caption": "the last change", "tags": ["fox"]})
        tokens = [opened["token"], closed["token"]]
        before = remembered(person, tokens)
        assert eventually(lambda: everything_recorded(server.folder / "Storage", "the last change"))

    server.terminate()
    take_away(server.folder / "Storage-db")
    server.start()
    code, report = ran(server, "images", "rebuild", "--apply")

    assert (code, report["images"], report["lost"]) == (0, [image_id], {})
    with Person(server) as person:
        person.log_in("ann")
        after = remembered(person, tokens)
    assert after == before
    assert before.pages == {opened["token"]: 200, closed["token"]: 404}
    server.remove()
