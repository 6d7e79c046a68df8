"""The rules: anything may happen in any order, and after every step the promises hold."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from ChatBot.services.access import Viewer
from tests.machine.publication import HOST, LOSS, PERSON, Publication
from tests.machine.world import World, quietly

SEED = st.integers(0, 50)
KEY = st.sampled_from(["k1", "k2", "k3"])
FAULT = st.sampled_from(["ok", "status", "other_picture", "reencoded", "lost_reply", "no_url", "html"])


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGE = st.sampled_from([Path.unlink, truncate, flip, link, pipe])


class Promises(Publication):
    """I1 to I10 over the real services, a real MongoDB, a real disk and hosts over real HTTP."""

    mongo_uri: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.mongo_uri)
        self.by_key: dict[tuple[int, str, int], set[str]] = {}

    def teardown(self) -> None:
        self.world.close()

    @initialize()
    def begin(self) -> None:
        self.world.upload(0, 0)

    @rule(person=PERSON, seed=SEED)
    def upload(self, person: int, seed: int) -> None:
        self.world.upload(person, seed)

    @rule(person=PERSON, seed=st.integers(0, 2), key=KEY)
    def draw(self, person: int, seed: int, key: str) -> None:
        quietly(lambda: self.by_key.setdefault((person, key, seed), set()).update(self.world.draw(person, seed, key)))

    @precondition(lambda self: self.world.ids("live"))
    @rule(data=st.data())
    def trash(self, data: st.DataObject) -> None:
        self.world.trash(data.draw(st.sampled_from(self.world.ids("live"))))

    @precondition(lambda self: self.world.ids("trashed"))
    @rule(data=st.data())
    def untrash(self, data: st.DataObject) -> None:
        image_id = data.draw(st.sampled_from(self.world.ids("trashed")))
        quietly(lambda: self.world.untrash(image_id))

    @precondition(lambda self: self.world.ids("trashed"))
    @rule(data=st.data())
    def delete_for_good(self, data: st.DataObject) -> None:
        image_id = data.draw(st.sampled_from(self.world.ids("trashed")))
        quietly(lambda: self.world.delete_for_good(image_id))

    @precondition(lambda self: self.world.ids("purged"))
    @rule(data=st.data())
    def bring_back_what_was_purged(self, data: st.DataObject) -> None:
        image_id = data.draw(st.sampled_from(self.world.ids("purged")))
        done = quietly(lambda: self.world.services.gallery.untrash(self.world.promises[image_id].owner, image_id))
        assert not done, "a purged picture was taken out of the trash"

    @rule()
    def purge(self) -> None:
        self.world.pass_time()
        self.world.purge()

    @rule(host=HOST, fault=FAULT)
    def a_host_misbehaves(self, host: str, fault: str) -> None:
        getattr(self.world.hosts, host).fault = fault

    @rule(host=HOST, status=st.sampled_from([200, 404, 503]))
    def a_host_serves(self, host: str, status: int) -> None:
        getattr(self.world.hosts, host).serving = status

    @rule()
    def time_passes_and_work_is_done(self) -> None:
        self.world.pass_time()
        self.world.work()

    @rule()
    def clean_up(self) -> None:
        self.world.age_files()
        self.world.clean_up()
        assert not self.world.strays(), "I4: a file that belongs to nothing outlived the grace time and a clean-up"

    @rule()
    def restore(self) -> None:
        self.world.restore()

    @rule()
    def crash(self) -> None:
        self.world.crash()

    @rule()
    def power_cut(self) -> None:
        self.world.power_cut()

    @precondition(lambda self: self.world.ids("live"))
    @rule(data=st.data(), how=DAMAGE)
    def the_disk_loses(self, data: st.DataObject, how: object) -> None:
        assert callable(how)
        self.world.damage(data.draw(st.sampled_from(self.world.ids("live"))), how)

    @precondition(lambda self: self.world.ids("live"))
    @rule(data=st.data(), host=HOST, how=LOSS)
    def a_host_loses_a_picture(self, data: st.DataObject, host: str, how: object) -> None:
        assert callable(how)
        self.world.lose_copy(data.draw(st.sampled_from(self.world.ids("live"))), host, how)

    @precondition(lambda self: self.conversations())
    @rule(data=st.data())
    def share(self, data: st.DataObject) -> None:
        conversation_id, person = data.draw(st.sampled_from(self.conversations()))
        self.world.share(conversation_id, self.world.people[person])

    @precondition(lambda self: self.conversations())
    @rule(data=st.data(), linked=st.booleans())
    def remove_a_conversation(self, data: st.DataObject, linked: bool) -> None:
        conversation_id, person = data.draw(st.sampled_from(self.conversations()))
        if linked:  # two rules in a row about the same conversation would be drawn too seldom
            self.world.share(conversation_id, self.world.people[person])
        shown = self.world.remove(conversation_id, self.world.people[person])
        # A key goes with the last picture of its message.
        self.by_key = {key: made for key, made in self.by_key.items() if not made & shown}

    @precondition(lambda self: self.world.shares)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        share_id = data.draw(st.sampled_from(list(self.world.shares)))
        conversation_id = self.world.shares[share_id][1]
        owner = next(each.owner for each in self.world.promises.values() if each.conversation_id == conversation_id)
        self.world.revoke(share_id, owner)

    @invariant()
    def i1_no_loss_and_i2_right_bytes(self) -> None:
        for image_id, promise in self.world.promises.items():
            seen = self.world.seen(Viewer(promise.owner), image_id)
            if promise.state == "live" and not self.hosts_are_ill():
                assert seen is not None, f"{image_id} is lost"
            assert seen is None or sha256(seen).hexdigest() == promise.sha256, f"{image_id} shows other bytes"

    @invariant()
    def i3_deleted_stays_deleted(self) -> None:
        for state in ("trashed", "purged"):
            for image_id in self.world.ids(state):
                assert self.world.seen(Viewer(self.world.promises[image_id].owner), image_id) is None
                for token, _ in self.world.shares.values():
                    assert self.world.shared(token, image_id) is None

    @invariant()
    def i5_verified_is_proved_and_references_are_kept(self) -> None:
        for image_id, promise in self.world.promises.items():
            image = self.world.image(image_id)
            if image is None or promise.state != "live":
                continue
            for copy in image.copies:
                if copy.state in ("uploaded", "verified", "suspect"):
                    assert copy.url, "a reference was erased"
                if copy.state == "verified" and copy.fidelity == "exact" and copy.url not in promise.proved:
                    host = getattr(self.world.hosts, copy.host)
                    assert self.world.was_fetched(copy), "verified without a GET"
                    assert host.fault not in ("other_picture", "reencoded"), "verified by other bytes"
                    promise.proved.add(str(copy.url))

    @invariant()
    def i6_whole_files_and_i7_no_empty_document(self) -> None:
        for message in self.world.messages():
            for image in message.images:
                promise = self.world.promises.get(image.id)
                assert promise is not None or image.trashed_at is None

    @invariant()
    def i8_one_effect_per_key(self) -> None:
        keys: dict[tuple[str, str], int] = {}
        for message in self.world.messages():
            if message.idempotency_key:
                place = (message.owner_id, message.idempotency_key)
                keys[place] = keys.get(place, 0) + 1
        assert all(count == 1 for count in keys.values())
        assert all(len(image_ids) <= 1 for image_ids in self.by_key.values())

    @invariant()
    def i9_isolation(self) -> None:
        for image_id, promise in self.world.promises.items():
            for person in self.world.people:
                if person.id != promise.owner.id:
                    assert self.world.seen(Viewer(person), image_id) is None, "somebody else's picture was shown"
            assert self.world.seen(Viewer(), image_id) is None
            for token, conversation_id in self.world.shares.values():
                if conversation_id != promise.conversation_id:
                    assert self.world.shared(token, image_id) is None, "a link shows a picture of another conversation"
            for token in self.world.revoked:
                assert self.world.shared(token, image_id) is None, "a revoked link still shows a picture"

    @invariant()
    def links_show_what_they_were_made_with(self) -> None:
        for share_id, image_ids in self.world.pinned.items():
            token, _ = self.world.shares[share_id]
            for image_id in image_ids:
                if self.world.promises[image_id].state == "live" and not self.hosts_are_ill():
                    assert self.world.shared(token, image_id) is not None, "a link lost its picture"

    @invariant()
    def i10_the_last_copy_is_never_taken(self) -> None:
        """Also while a host is ill and nobody could see it: the bytes are somewhere, and the record says where."""
        for image_id in self.world.ids("live"):
            assert self.world.is_kept(image_id), f"I10: the last copy of {image_id} was taken"
