"""Whether open shares still show their pictures."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ChatBot.errors import NotFound
from ChatBot.models import Image, Share, User, now
from tests.services.kept import KeptWorkshop
from tests.services.workshop import ScriptedHost, picture


def shared(shop: KeptWorkshop, user: User) -> tuple[Share, Image]:
    message = shop.draw(user)
    share, _ = shop.sharing.create(user, message.conversation_id or "")
    return share, shop.image(message.images[0].id)


def test_share_whose_pictures_are_there_is_fine(shop: KeptWorkshop, ann: User) -> None:
    shared(shop, ann)

    report = shop.upkeep.share_doctor.examine()

    assert (report.shares, report.pictures, report.broken, report.unservable) == (1, 1, {}, {})


def test_picture_that_is_only_in_the_cloud_is_fine_and_stays_there(shop: KeptWorkshop, ann: User) -> None:
    _, image = shared(shop, ann)
    shop.path(image).unlink()

    report = shop.upkeep.share_doctor.examine()

    assert report.unservable == {}
    assert not shop.path(image).exists()


def test_picture_that_no_place_has_is_listed(shop: KeptWorkshop, ann: User, host: ScriptedHost) -> None:
    share, image = shared(shop, ann)
    shop.path(image).unlink()
    host.pictures = dict.fromkeys(host.pictures, b"a page")

    report = shop.upkeep.share_doctor.examine()

    assert list(report.unservable) == [share.id]
    assert "other bytes" in report.unservable[share.id][image.id]


def test_lost_attachment_is_listed(shop: KeptWorkshop, ann: User, host: ScriptedHost) -> None:
    attached = shop.upload(ann, picture(5))
    question, _ = shop.threads.ask(ann, None, "look", attachments=(attached.id,))
    share, _ = shop.sharing.create(ann, question.conversation_id or "")
    shop.path(attached).unlink()
    host.pictures.clear()

    report = shop.upkeep.share_doctor.examine()

    assert list(report.unservable[share.id]) == [attached.id]


def test_deleted_picture_is_not_missed(shop: KeptWorkshop, ann: User) -> None:
    _, image = shared(shop, ann)
    shop.gallery.trash(ann, image.id)

    report = shop.upkeep.share_doctor.examine()

    assert (report.pictures, report.unservable) == (0, {})


def test_live_share_of_a_conversation_that_is_gone_is_broken(shop: KeptWorkshop, ann: User) -> None:
    snapshot, _ = shared(shop, ann)
    live, _ = shop.sharing.create(ann, snapshot.conversation_id, live=True)
    shop.database["conversations"].delete_many({})

    assert list(shop.upkeep.share_doctor.examine().broken) == [live.id]


def test_closed_shares_are_not_opened(shop: KeptWorkshop, ann: User) -> None:
    revoked, _ = shared(shop, ann)
    expired, _ = shared(shop, ann)
    shop.upkeep.share_doctor.revoke(revoked.id)
    shop.database["shares"].update_one({"_id": expired.id}, {"$set": {"expires_at": now() - timedelta(seconds=1)}})

    assert shop.upkeep.share_doctor.examine().shares == 0
    assert shop.upkeep.share_doctor.listed() == []
    assert {share.id for share in shop.upkeep.share_doctor.listed(closed=True)} == {revoked.id, expired.id}


def test_operator_closes_anybody_s_share_once(shop: KeptWorkshop, ann: User) -> None:
    share, _ = shared(shop, ann)

    shop.upkeep.share_doctor.revoke(share.id)

    with pytest.raises(NotFound):
        shop.upkeep.share_doctor.revoke(share.id)
