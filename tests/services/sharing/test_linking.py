"""Links to pictures show that picture and nothing else, until their time, their owner or the picture ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from itsdangerous import TimestampSigner

from ChatBot.errors import InputError, NotFound
from ChatBot.models import Image, User
from ChatBot.services.sharing.linking import LONGEST_SECONDS, Linking
from tests.services.workshop import Workshop, make_user

SECRET = "a secret of this test only"


@pytest.fixture
def workshop(make_workshop: Callable[..., Workshop]) -> Workshop:
    return make_workshop()


@pytest.fixture
def linking(workshop: Workshop) -> Linking:
    kept = workshop.repositories
    return Linking(kept.picture_links, kept.images, kept.users, SECRET)


@pytest.fixture
def image(workshop: Workshop, ann: User) -> Image:
    return workshop.upload(ann)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let the clock that signatures are made and read with go on."""
    real = TimestampSigner.get_timestamp

    def go_on(seconds: float) -> None:
        monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: int(real(self) - seconds))

    return go_on


@pytest.mark.parametrize("permanent", [False, True])
def test_a_link_shows_its_picture(linking: Linking, ann: User, image: Image, permanent: bool) -> None:
    token = linking.keep(ann, image.id)[1] if permanent else linking.sign(ann, image.id)[0]

    assert linking.open(token).id == image.id


@pytest.mark.parametrize("permanent", [False, True])
def test_a_link_dies_with_its_picture(
    workshop: Workshop, linking: Linking, ann: User, image: Image, permanent: bool
) -> None:
    token = linking.keep(ann, image.id)[1] if permanent else linking.sign(ann, image.id)[0]

    workshop.gallery.trash(ann, image.id)

    with pytest.raises(NotFound):
        linking.open(token)


@pytest.mark.parametrize("permanent", [False, True])
def test_ending_all_links_ends_each(linking: Linking, ann: User, image: Image, permanent: bool) -> None:
    token = linking.keep(ann, image.id)[1] if permanent else linking.sign(ann, image.id)[0]

    linking.revoke_all(ann)

    with pytest.raises(NotFound):
        linking.open(token)


@pytest.mark.parametrize("permanent", [False, True])
def test_nobody_links_to_the_picture_of_another(linking: Linking, image: Image, permanent: bool) -> None:
    bob = make_user("bob")

    with pytest.raises(NotFound):
        linking.keep(bob, image.id) if permanent else linking.sign(bob, image.id)


def test_a_signed_link_ends_with_its_time(
    linking: Linking, ann: User, image: Image, later: Callable[[float], None]
) -> None:
    later(61)
    token, _ = linking.sign(ann, image.id, seconds=60)
    later(0)

    with pytest.raises(NotFound):
        linking.open(token)


def test_no_signed_link_lives_longer_than_seven_days_whatever_it_says(
    linking: Linking, ann: User, image: Image, later: Callable[[float], None]
) -> None:
    later(LONGEST_SECONDS + 1)
    forged = linking._serializer("picture").dumps({"image": image.id, "seconds": 10**9})
    later(0)

    with pytest.raises(NotFound):
        linking.open(str(forged))
    with pytest.raises(InputError):
        linking.sign(ann, image.id, seconds=LONGEST_SECONDS + 1)


def test_a_link_for_one_purpose_is_nothing_to_another(linking: Linking, ann: User, image: Image) -> None:
    export, _ = linking.sign(ann, image.id, purpose="export")
    picture, _ = linking.sign(ann, image.id)
    kept = linking.keep(ann, image.id)[1]

    with pytest.raises(NotFound):
        linking.open(export)
    for token in (picture, kept):
        with pytest.raises(NotFound):
            linking.open(token, "export")


def test_a_tampered_link_shows_nothing(workshop: Workshop, linking: Linking, ann: User, image: Image) -> None:
    other = workshop.upload(ann)
    token, _ = linking.sign(ann, image.id)
    body, rest = token.split(".", 1)
    foreign = linking.sign(ann, other.id)[0].split(".", 1)[0]

    for tampered in (f"{foreign}.{rest}", f"{body}.{rest}x", f"{body}.", ".", "..", "", f"{body}.{rest}"[:-3]):
        with pytest.raises(NotFound):
            linking.open(tampered)


def test_a_link_signed_with_another_secret_shows_nothing(
    workshop: Workshop, linking: Linking, ann: User, image: Image
) -> None:
    kept = workshop.repositories
    token, _ = Linking(kept.picture_links, kept.images, kept.users, "another secret").sign(ann, image.id)

    with pytest.raises(NotFound):
        linking.open(token)


def test_a_permanent_link_is_revoked_by_its_owner_alone(linking: Linking, ann: User, image: Image) -> None:
    link, token = linking.keep(ann, image.id, " for the blog ")

    with pytest.raises(NotFound):
        linking.revoke(make_user("bob"), link.id)
    still = linking.open(token)
    linking.revoke(ann, link.id)

    assert still.id == image.id
    assert link.name == "for the blog"
    assert linking.of(ann, 10) == []
    with pytest.raises(NotFound):
        linking.open(token)


def test_the_token_of_a_permanent_link_is_not_kept(
    workshop: Workshop, linking: Linking, ann: User, image: Image
) -> None:
    _, token = linking.keep(ann, image.id)

    (document,) = workshop.database["picture_links"].find()

    assert token not in str(document)


def test_the_day_of_the_last_use_is_shown(linking: Linking, ann: User, image: Image) -> None:
    _, token = linking.keep(ann, image.id)

    linking.open(token)

    (link,) = linking.of(ann, 10)
    assert link.last_used_at is not None
    assert link.last_used_at - link.created_at < timedelta(days=1)
