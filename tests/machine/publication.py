"""The rules about what public hosts may have: pictures turn private and public again, and proofs are looked at anew."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from hashlib import sha256

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ChatBot.models import Copy, now
from tests.machine.world import World, ill, quietly
from tests.standins.picture_host import OTHER_PICTURE, PictureHost, Stored

PERSON = st.integers(0, 1)
HOST = st.sampled_from(["postimages", "imgbb"])
LONG_AGO = timedelta(days=60)
"""Longer than a proof is good for."""
ROUNDS = 4
"""A copy is bad twice before it is sent anew, then read back; the bad one goes one look later."""


def delete(stored: Stored) -> None:
    stored.deleted = True


def replace(stored: Stored) -> None:
    stored.changed = OTHER_PICTURE


def recompress(stored: Stored) -> None:
    stored.changed = stored.shown + b"\x00"


LOSS = st.sampled_from([delete, replace, recompress])


class Publication(RuleBasedStateMachine):
    """Private pictures stay off public hosts, and copies that vanish there are sent anew."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.private_accounts: set[int] = set()
        self.private_conversations: set[str] = set()
        self.published: dict[str, tuple[str, str]] = {}
        """Every address that a record ever named: URL -> (picture, host)."""
        self.sent: Counter[str] = Counter()
        """How often which bytes had reached a host, by their hash, after the step before."""
        self.hidden: set[str] = set()
        """The hashes that were private after the step before."""

    @rule(person=PERSON, private=st.booleans())
    def an_account_changes(self, person: int, private: bool) -> None:
        self.world.services.privacy.set_account(self.world.people[person], private)
        (self.private_accounts.add if private else self.private_accounts.discard)(person)

    @precondition(lambda self: self.conversations())
    @rule(data=st.data(), private=st.booleans())
    def a_conversation_changes(self, data: st.DataObject, private: bool) -> None:
        conversation_id, person = data.draw(st.sampled_from(self.conversations()))
        self.world.services.privacy.set_conversation(self.world.people[person], conversation_id, private)
        (self.private_conversations.add if private else self.private_conversations.discard)(conversation_id)

    @precondition(lambda self: self.conversations())
    @rule(data=st.data())
    def the_power_goes_while_a_conversation_changes(self, data: st.DataObject) -> None:
        """The conversation is marked, its pictures are not; the next round of the background work has to notice."""
        conversation_id, _ = data.draw(st.sampled_from(self.conversations()))
        self.world.services.repositories.conversations.set_private(conversation_id, True)
        self.world.power_cut()
        self.world.services.privacy.withdraw_due()
        self.private_conversations.add(conversation_id)

    @precondition(lambda self: self.conversations())
    @rule(data=st.data(), seed=st.integers(3, 5))
    def draw_into_a_conversation(self, data: st.DataObject, seed: int) -> None:
        conversation_id, person = data.draw(st.sampled_from(self.conversations()))
        quietly(lambda: self.world.draw(person, seed, None, conversation_id))

    @rule(cut=st.booleans())
    def withdraw(self, cut: bool) -> None:
        self.world.pass_time()
        self.world.services.privacy.withdraw_due()
        if cut:
            self.world.power_cut()
            self.world.pass_time()
            self.world.services.privacy.withdraw_due()
        self._remember()
        if not self.hosts_are_ill():
            for url, (image_id, host) in self.published.items():
                live = self.world.stored_at(host, url)
                assert not (live and self.is_private(image_id)), "a private picture is still on a public host"

    @rule(cut=st.booleans())
    def copies_are_checked(self, cut: bool) -> None:
        self._look_at_old_proofs(cut)
        if not self.hosts_are_ill():
            self._no_proof_is_wrong()

    @precondition(lambda self: self.world.ids("live"))
    @rule(data=st.data(), host=HOST, how=LOSS, cut=st.booleans())
    def what_a_host_lost_is_noticed(self, data: st.DataObject, host: str, how: object, cut: bool) -> None:
        """The loss and the look are one rule: alone each is drawn too seldom for the same picture."""
        assert callable(how)
        self.world.hosts_recover()
        self.world.lose_copy(data.draw(st.sampled_from(self.world.ids("live"))), host, how)
        self._look_at_old_proofs(cut)
        self._no_proof_is_wrong()

    def _look_at_old_proofs(self, cut: bool) -> None:
        for number in range(ROUNDS):
            self.world.pass_time()
            self.world.age_proofs(now() - LONG_AGO)
            self.world.services.copy_check.check_due()
            self.world.work()
            if cut and number == 0:
                self.world.power_cut()

    def _no_proof_is_wrong(self) -> None:
        for image_id in self.world.ids("live"):
            image = self.world.image(image_id)
            assert image is not None
            for copy in image.copies:
                if copy.state == "verified" and copy.fidelity == "exact":
                    assert self._is_there(copy, image.sha256), "a copy that is no more counts as verified after a look"
            lost = {copy.host for copy in image.copies if copy.state == "suspect" and self._takes(copy.host)}
            # What was private stays so when its conversation is deleted under a link, and is sent to no public host.
            if not (image.private or self.is_private(image_id)) and self.world.has_local_file(image):
                proved = {copy.host for copy in image.copies if copy.state == "verified"}
                assert lost <= proved, "a copy that vanished was not sent anew"

    def _takes(self, host: str) -> bool:
        """Say whether a host takes pictures now; one that does not is tried again later."""
        standin: PictureHost = getattr(self.world.hosts, host)
        return standin.fault == "ok"

    @invariant()
    def private_pictures_are_marked(self) -> None:
        for image_id, promise in self.world.promises.items():
            image = self.world.image(image_id)
            if image is not None and promise.state in ("live", "trashed") and self.is_private(image_id):
                assert image.private, "a picture that is shown privately is not marked"

    @invariant()
    def nothing_private_is_sent_to_a_public_host(self) -> None:
        sent = self.world.sent()
        shown = {promise.sha256 for each, promise in self.world.promises.items() if not self.is_private(each)}
        hidden = {promise.sha256 for promise in self.world.promises.values()} - shown
        for digest in hidden:
            if digest in self.hidden or digest not in self.sent:
                assert sent[digest] == self.sent[digest], "a private picture was sent to a public host"
        self.sent, self.hidden = sent, hidden
        self._remember()

    def conversations(self) -> list[tuple[str, int]]:
        """Return the conversations that there are, each with the number of its owner."""
        found = (
            (each.conversation_id, self.world.people.index(each.owner))
            for each in self.world.promises.values()
            if each.conversation_id and each.conversation_id not in self.world.removed
        )
        return list(dict.fromkeys(found))

    def is_private(self, image_id: str) -> bool:
        """Say whether something shows the picture privately."""
        promise = self.world.promises[image_id]
        if self.world.people.index(promise.owner) in self.private_accounts:
            return True
        there = promise.conversation_id not in self.world.removed
        return there and promise.conversation_id in self.private_conversations

    def hosts_are_ill(self) -> bool:
        """Say whether a picture that lives in the cloud only may be out of reach for now."""
        return ill(self.world.hosts.postimages) or ill(self.world.hosts.imgbb)

    def _is_there(self, copy: Copy, digest: str) -> bool:
        return any(sha256(one.shown).hexdigest() == digest for one in self.world.stored_at(copy.host, str(copy.url)))

    def _remember(self) -> None:
        for message in self.world.messages():
            for image in message.images:
                known = {str(copy.url): (image.id, copy.host) for copy in image.copies if copy.url}
                self.published.update(known if image.id in self.world.promises else {})
