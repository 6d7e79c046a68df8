"""Copies of shared conversations in the viewer's own account."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from ChatBot.errors import Conflict, IntegrityError, NotFound, QuotaExceeded
from ChatBot.models import Image, Message, Share, User
from ChatBot.sentence import Sentence
from ChatBot.services.access import Viewer
from ChatBot.services.pictures.resolver import Opened, Resolver
from ChatBot.services.sharing.continuing import Continuing
from ChatBot.services.upkeep.stewardship import Limits
from tests.services.workshop import ScriptedHost, Workshop, wide_picture


def shared(workshop: Workshop, owner: User) -> tuple[Share, Image, Image]:
    """Share a conversation with a drawn picture and an attached upload."""
    answer = workshop.draw(owner)
    attached = workshop.upload(owner, wide_picture(), original_name="private.png", metadata={"Artist": "Ann"})
    question, reply = workshop.threads.ask(owner, answer.conversation_id, "and this?", attachments=(attached.id,))
    workshop.messages.settle(reply.id, "complete", content="A lighthouse.")
    workshop.gallery.describe(owner, answer.images[0].id, caption="Fox", tags=["secret"], favourite=True)
    share, _ = workshop.sharing.create(owner, question.conversation_id or "")
    return share, workshop.image(answer.images[0].id), workshop.image(attached.id)


def copied(workshop: Workshop, user: User, share: Share, key: str = "once") -> list[Message]:
    """Copy what a link shows and return the messages of the copy."""
    return workshop.messages.of(workshop.continuing.copy(user, share, key))


def test_a_copy_has_the_words_and_the_pictures_byte_for_byte(workshop: Workshop, ann: User, bob: User) -> None:
    share, drawn, attached = shared(workshop, ann)

    messages = copied(workshop, bob, share)

    conversation = workshop.threads.get(Viewer(bob), messages[0].conversation_id or "")
    assert conversation.title == share.title
    assert [(each.role, each.content) for each in messages] == [(each.role, each.content) for each in share.messages]
    for original, image_id in ((drawn, messages[1].images[0].id), (attached, messages[2].attachments[0])):
        own = workshop.gallery.view(Viewer(bob), image_id)
        assert own.id != original.id
        assert workshop.path(own).read_bytes() == workshop.path(original).read_bytes()
        assert (own.sha256, own.width, own.mime_type) == (original.sha256, original.width, original.mime_type)


def test_a_copy_knows_no_more_of_a_picture_than_its_viewer_saw(workshop: Workshop, ann: User, bob: User) -> None:
    share, _, _ = shared(workshop, ann)

    messages = copied(workshop, bob, share)

    own = [workshop.image(messages[1].images[0].id), workshop.image(messages[2].attachments[0])]
    assert own[0].caption == "Fox"
    assert own[0].prompt == "a red fox"
    for image in own:
        assert (image.seed, image.model, image.generator, image.parent_id) == (None, None, None, None)
        assert (image.original_name, image.metadata, image.tags, image.favourite) == (None, {}, (), False)


def test_neither_side_feels_what_the_other_deletes(workshop: Workshop, ann: User, bob: User) -> None:
    share, drawn, _ = shared(workshop, ann)
    own = copied(workshop, bob, share)[1]

    workshop.threads.remove(ann, share.conversation_id, revoke_shares=True)
    purged = workshop.images.find(drawn.id, trashed=True)
    assert purged
    workshop.deletion.purge(purged)

    assert workshop.gallery.view(Viewer(bob), own.images[0].id)
    with workshop.resolver.open(workshop.image(own.images[0].id)).file as file:
        assert file.read()
    with pytest.raises(NotFound):
        workshop.gallery.view(Viewer(ann), own.images[0].id)


def test_a_copy_s_pictures_go_to_the_hosts_as_its_own(
    make_workshop: Callable[..., Workshop], ann: User, bob: User
) -> None:
    workshop = make_workshop(hosts=(ScriptedHost(),))
    share, drawn, _ = shared(workshop, ann)

    own = workshop.image(copied(workshop, bob, share)[1].images[0].id)
    workshop.replicator.close()

    (copy,) = workshop.image(own.id).copies
    (original,) = workshop.image(drawn.id).copies
    assert copy.state == "verified"
    assert copy.url != original.url
    assert copy.delete_url != original.delete_url


@pytest.mark.parametrize("why", ["private", "adopted"])
def test_what_no_public_host_may_have_none_may_have_of_the_copy_either(
    make_workshop: Callable[..., Workshop], ann: User, bob: User, why: str
) -> None:
    public = ScriptedHost()
    workshop = make_workshop(hosts=(public,))
    private = workshop.privacy.set_account(ann, why == "private")
    share, drawn, _ = shared(workshop, private)
    if why == "adopted":
        workshop.images.change(drawn.id, original_url="/static/Storage/Image_Gen/old.png")
    sent = public.uploads

    own = workshop.image(copied(workshop, bob, share)[1].images[0].id)
    workshop.privacy.set_account(workshop.privacy.set_account(bob, True), False)
    while workshop.replicator.work_once():
        pass

    assert own.off_public_hosts
    assert workshop.image(own.id).off_public_hosts
    assert [copy.state for copy in workshop.image(own.id).copies if copy.state != "gone"] == []
    assert public.uploads - sent == (0 if why == "private" else 1)  # the other picture of an adopted one's conversation


def test_the_same_key_gives_the_same_copy_and_another_one_another(workshop: Workshop, ann: User, bob: User) -> None:
    share, _, _ = shared(workshop, ann)

    made = [workshop.continuing.copy(bob, share, key) for key in ("a", "a", "b")]

    assert made[0] == made[1] != made[2]
    assert {each.id for each in workshop.threads.of(bob, 10)} == {made[0], made[2]}
    assert len(list(workshop.images.each(bob.id))) == 4


def test_two_clicks_at_once_make_one_copy(workshop: Workshop, ann: User, bob: User) -> None:
    share, _, _ = shared(workshop, ann)
    together = threading.Barrier(4)

    def click(_: int) -> str:
        together.wait()
        return workshop.continuing.copy(bob, share, "once")

    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(click, range(4)))

    assert len(made) == 1
    assert [each.id for each in workshop.threads.of(bob, 10)] == list(made)
    assert len(list(workshop.images.each(bob.id))) == 2
    files = {entry.filename for entry in workshop.files.list_files() if not entry.filename.endswith(".webp")}
    assert len(files) == 4


def test_the_key_of_a_copy_that_was_deleted_makes_no_second_one(workshop: Workshop, ann: User, bob: User) -> None:
    answer = workshop.draw(ann)
    workshop.messages.detach(
        [each.id for each in workshop.messages.of(answer.conversation_id or "") if not each.images]
    )
    share, _ = workshop.sharing.create(ann, answer.conversation_id or "")
    made = workshop.continuing.copy(bob, share, "once")

    workshop.threads.remove(bob, made)

    with pytest.raises(Conflict):
        workshop.continuing.copy(bob, share, "once")


def test_a_copy_over_the_quota_is_refused_and_leaves_nothing(
    make_workshop: Callable[..., Workshop], ann: User, bob: User
) -> None:
    workshop = make_workshop(limits=Limits(images_per_user=2))
    share, _, _ = shared(workshop, ann)
    workshop.upload(bob)
    before = workshop.stored_files()

    with pytest.raises(QuotaExceeded):
        workshop.continuing.copy(bob, share, "once")

    assert workshop.threads.of(bob, 10) == []
    assert workshop.stored_files() == before


def test_a_copy_that_cannot_be_whole_is_not_made(workshop: Workshop, ann: User, bob: User) -> None:
    share, _, attached = shared(workshop, ann)
    workshop.path(attached).unlink()
    before = workshop.stored_files()

    with pytest.raises(NotFound) as refused:
        workshop.continuing.copy(bob, share, "once")

    assert isinstance(refused.value.args[0], Sentence)  # so that the page says it in its language
    assert workshop.threads.of(bob, 10) == []
    assert list(workshop.images.each(bob.id)) == []
    assert workshop.stored_files() == before


class Interrupted(Resolver):
    """A resolver behind which something happens while the first picture is read."""

    def __init__(self, behind: Resolver, happening: Callable[[], object]) -> None:
        self._behind = behind
        self._happening: Callable[[], object] | None = happening

    def open(self, image: Image) -> Opened:
        opened = self._behind.open(image)
        if self._happening:
            self._happening()
            self._happening = None
        return opened


def _revoke(workshop: Workshop, owner: User, share: Share, _: Image) -> None:
    workshop.sharing.revoke(owner, share.id)


def _trash(workshop: Workshop, owner: User, _: Share, image: Image) -> None:
    workshop.gallery.trash(owner, image.id)


def _make_private(workshop: Workshop, owner: User, _: Share, __: Image) -> None:
    workshop.privacy.set_account(owner, True)


def _delete_conversation(workshop: Workshop, owner: User, share: Share, _: Image) -> None:
    workshop.threads.remove(owner, share.conversation_id, revoke_shares=True)


@pytest.mark.parametrize(
    ("happening", "error"),
    [(_revoke, NotFound), (_delete_conversation, NotFound), (_trash, Conflict), (_make_private, Conflict)],
)
def test_what_is_closed_deleted_or_made_private_while_it_is_copied_is_not_kept(
    workshop: Workshop,
    ann: User,
    bob: User,
    happening: Callable[[Workshop, User, Share, Image], None],
    error: type[Exception],
) -> None:
    share, drawn, _ = shared(workshop, ann)
    before = workshop.stored_files()
    resolver = Interrupted(workshop.resolver, lambda: happening(workshop, ann, share, drawn))
    kept = workshop.repositories
    continuing = Continuing(
        workshop.sharing, workshop.handler, resolver, kept.conversations, kept.messages, kept.drafts, kept.images
    )

    with pytest.raises(error) as refused:
        continuing.copy(bob, share, "once")

    assert isinstance(refused.value.args[0], Sentence)
    assert workshop.threads.of(bob, 10) == []
    assert list(workshop.images.each(bob.id)) == []
    assert workshop.stored_files() == before


def test_other_bytes_than_the_recorded_ones_are_not_copied(workshop: Workshop, ann: User, bob: User) -> None:
    image = workshop.upload(ann)

    with pytest.raises(IntegrityError):
        workshop.handler.stage_copy(image, b"something else", bob.id)


def test_a_picture_that_its_owner_deleted_is_not_in_the_copy(workshop: Workshop, ann: User, bob: User) -> None:
    share, drawn, _ = shared(workshop, ann)

    workshop.gallery.trash(ann, drawn.id)

    assert [len(each.images) for each in copied(workshop, bob, share)] == [0, 0, 0, 0]


def test_a_copy_is_continued_behind_its_last_message(workshop: Workshop, ann: User, bob: User) -> None:
    share, _, _ = shared(workshop, ann)
    made = workshop.continuing.copy(bob, share, "once")

    question, answer = workshop.threads.ask(bob, made, "and now?")

    assert [each.id for each in workshop.messages.of(made)][-2:] == [question.id, answer.id]
    assert len(workshop.threads.history(answer)) == 5
