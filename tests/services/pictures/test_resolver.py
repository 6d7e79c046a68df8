"""From a record to its bytes: the right ones, or none."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import pytest

from ChatBot.errors import NotFound, ProviderUnavailable, StorageFull
from ChatBot.media.decoding import InProcess
from ChatBot.media.files import FileStore
from ChatBot.models import Image, User
from ChatBot.services.pictures.resolver import Opened, Resolver
from tests.services.workshop import ScriptedHost, Workshop, at_once, picture, wide_picture


def read(opened: Opened) -> bytes:
    """Return the bytes and hold them against what was said about them."""
    with opened.file as file:
        data = file.read()
    assert (len(data), sha256(data).hexdigest()) == (opened.size, opened.etag)
    return data


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def link_elsewhere(path: Path) -> None:
    target = path.with_name("elsewhere")
    path.rename(target)
    path.symlink_to(target)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def remove(path: Path) -> None:
    path.unlink()


def remove_the_folder(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()


DAMAGES = [truncate, empty, flip_a_bit, link_elsewhere, pipe, remove]


def test_a_picture_on_this_disk_comes_from_this_disk(cloud: Workshop, host: ScriptedHost, ann: User) -> None:
    image = cloud.upload(ann)
    before = host.fetches

    opened = cloud.resolver.open(image)

    assert (opened.source, opened.etag, opened.mime_type) == ("local", image.sha256, "image/png")
    assert read(opened) == cloud.path(image).read_bytes()
    assert host.fetches == before


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_healed_from_the_copy_byte_for_byte(
    cloud: Workshop, ann: User, damage: Callable[[Path], None]
) -> None:
    image = cloud.upload(ann)
    data = cloud.path(image).read_bytes()
    damage(cloud.path(image))

    opened = cloud.resolver.open(image)

    assert (opened.source, read(opened)) == ("first", data)
    assert cloud.path(image).read_bytes() == data
    assert not cloud.path(image).is_symlink()
    assert cloud.resolver.restore(image) == "local"


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_is_damaged_after_it_was_checked_is_noticed(
    cloud: Workshop, ann: User, damage: Callable[[Path], None]
) -> None:
    image = cloud.upload(ann)
    data = read(cloud.resolver.open(image))
    damage(cloud.path(image))

    assert read(cloud.resolver.open(image)) == data


@pytest.mark.parametrize("damage", DAMAGES)
def test_with_nothing_left_the_answer_names_what_was_tried(
    cloud: Workshop, host: ScriptedHost, ann: User, damage: Callable[[Path], None]
) -> None:
    image = cloud.upload(ann)
    damage(cloud.path(image))
    host.down = ProviderUnavailable("The host is asleep.", provider="first")

    with pytest.raises(NotFound) as error:
        cloud.resolver.open(image)

    assert "this disk" in str(error.value)
    assert "first (The host is asleep.)" in str(error.value)


def test_a_damaged_file_without_a_copy_is_marked_and_stays(workshop: Workshop, ann: User) -> None:
    image = workshop.upload(ann)
    flip_a_bit(workshop.path(image))

    with pytest.raises(NotFound):
        workshop.resolver.open(image)

    assert workshop.image(image.id).local == "corrupt"
    assert workshop.path(image).exists()


def test_a_healed_picture_is_marked_as_present_again(cloud: Workshop, host: ScriptedHost, ann: User) -> None:
    image = cloud.upload(ann)
    flip_a_bit(cloud.path(image))
    host.down = ProviderUnavailable("asleep", provider="first")
    with pytest.raises(NotFound):
        cloud.resolver.open(image)
    host.down = None

    cloud.resolver.open(cloud.image(image.id)).file.close()

    assert cloud.image(image.id).local == "present"


@pytest.mark.parametrize("wrong", [b"", b"<html>", picture(9), picture()[:-1]], ids=["empty", "page", "other", "cut"])
def test_wrong_bytes_of_a_host_are_neither_sent_nor_kept(
    cloud: Workshop, host: ScriptedHost, ann: User, wrong: bytes
) -> None:
    image = cloud.upload(ann)
    remove(cloud.path(image))
    for url in host.pictures:
        host.pictures[url] = wrong

    with pytest.raises(NotFound, match=r"first \(other bytes\)"):
        cloud.resolver.open(image)

    assert not cloud.path(image).exists()


def test_the_next_copy_is_tried_when_the_first_has_other_bytes(
    make_workshop: Callable[..., Workshop], ann: User
) -> None:
    first, second = ScriptedHost("first"), ScriptedHost("second")
    first.upload_errors.append(ProviderUnavailable("busy", provider="first"))
    cloud = make_workshop(hosts=(first, second))
    image = cloud.upload(ann)
    data = cloud.path(image).read_bytes()
    (copy,) = [copy for copy in image.copies if copy.host == "second"]
    wrong = copy.model_copy(update={"host": "first", "url": "https://first.invalid/wrong"})
    first.pictures["https://first.invalid/wrong"] = picture(9)
    remove(cloud.path(image))

    opened = cloud.resolver.open(image.model_copy(update={"copies": (wrong, copy)}))

    assert (opened.source, read(opened)) == ("second", data)


def test_a_suspect_copy_that_is_right_after_all_heals(cloud: Workshop, host: ScriptedHost, ann: User) -> None:
    host.alters = lambda _: b"<html>"
    image = cloud.upload(ann)
    data = cloud.path(image).read_bytes()
    for url in host.pictures:
        host.pictures[url] = data
    remove(cloud.path(image))

    opened = cloud.resolver.open(image)

    assert (image.copies[0].state, opened.source, read(opened)) == ("suspect", "first", data)


def test_many_who_ask_at_once_fetch_once(cloud: Workshop, host: ScriptedHost, ann: User) -> None:
    image = cloud.upload(ann)
    data = cloud.path(image).read_bytes()
    remove(cloud.path(image))
    before = host.fetches

    answers = at_once(lambda _: read(cloud.resolver.open(image)), 20)

    assert answers == [data] * 20
    assert host.fetches == before + 1


def test_pictures_that_are_healed_at_once_are_not_mixed_up(cloud: Workshop, ann: User) -> None:
    images = [cloud.upload(ann, picture(seed)) for seed in range(1, 6)]
    data = [cloud.path(image).read_bytes() for image in images]
    for image in images:
        remove(cloud.path(image))

    answers = at_once(lambda number: read(cloud.resolver.open(images[number % 5])), 10)

    assert answers == data + data


class FullStore(FileStore):
    """A disk that has no room to heal."""

    full = False

    def write(self, folder: str, filename: str, data: bytes, **options: bool) -> None:
        if self.full:
            raise StorageFull("no room")
        super().write(folder, filename, data, **options)


def test_a_full_disk_does_not_stop_a_picture_from_being_shown(
    make_workshop: Callable[..., Workshop], host: ScriptedHost, ann: User
) -> None:
    cloud = make_workshop(hosts=(host,), store=FullStore)
    image = cloud.upload(ann)
    data = cloud.path(image).read_bytes()
    remove_the_folder(cloud.path(image))
    cloud.files.full = True  # type: ignore[attr-defined] # it is a FullStore

    opened = cloud.resolver.open(image)

    assert (opened.source, read(opened)) == ("first", data)


class UnreadableStore(FileStore):
    """A disk with a bad sector under every picture."""

    def open(self, folder: str, filename: str) -> tuple[BinaryIO, os.stat_result]:
        file, status = super().open(folder, filename)
        file.close()
        return BadSector(), status


class BadSector(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:  # noqa: ARG002 - the interface's own
        raise OSError(5, "Input/output error")


def test_a_bad_sector_is_a_damage_like_any_other(
    make_workshop: Callable[..., Workshop], host: ScriptedHost, ann: User
) -> None:
    cloud = make_workshop(hosts=(host,), store=UnreadableStore)
    image = cloud.upload(ann)
    data = cloud.path(image).read_bytes()

    opened = cloud.resolver.open(image)

    assert (opened.source, read(opened)) == ("first", data)


def test_a_thumbnail_comes_from_this_disk(workshop: Workshop, ann: User) -> None:
    image = workshop.upload(ann, wide_picture())

    opened = workshop.resolver.open_thumbnail(image, 256)

    assert (opened.source, opened.mime_type) == ("local", "image/webp")
    assert read(opened) == workshop.files.read_thumbnail(image.id, 256)


def test_a_missing_thumbnail_is_made_again(workshop: Workshop, ann: User) -> None:
    image = workshop.upload(ann, wide_picture())
    workshop.files.delete_thumbnails(image.id)

    data = read(workshop.resolver.open_thumbnail(image, 256))

    assert data[8:12] == b"WEBP"
    assert workshop.files.read_thumbnail(image.id, 256) == data


def test_a_thumbnail_is_made_from_the_copy_when_the_file_is_gone_too(cloud: Workshop, ann: User) -> None:
    image = cloud.upload(ann, wide_picture())
    cloud.files.delete_thumbnails(image.id)
    remove(cloud.path(image))

    opened = cloud.resolver.open_thumbnail(image, 256)

    assert (opened.source, opened.mime_type) == ("first", "image/webp")
    assert cloud.path(image).exists()


def purge(workshop: Workshop, owner: User, image: Image) -> None:
    """Delete a picture for good, as its owner does in the trash."""
    workshop.gallery.trash(owner, image.id)
    workshop.trash.delete(owner, [image.id])


def test_what_is_deleted_for_good_while_it_is_fetched_leaves_no_file(
    cloud: Workshop, host: ScriptedHost, ann: User
) -> None:
    image = cloud.upload(ann, wide_picture())
    remove(cloud.path(image))
    host.on_fetch = lambda: purge(cloud, ann, image)

    with pytest.raises(NotFound):
        cloud.resolver.open(image)

    assert cloud.stored_files() == set()


def test_what_is_deleted_for_good_while_its_thumbnail_is_made_leaves_no_file(workshop: Workshop, ann: User) -> None:
    class Slow(InProcess):
        def render(self, data: bytes, width: int, *, max_pixels: int) -> bytes | None:
            purge(workshop, ann, image)
            return super().render(data, width, max_pixels=max_pixels)

    image = workshop.upload(ann, wide_picture())
    workshop.files.delete_thumbnails(image.id)
    resolver = Resolver(workshop.files, workshop.images, workshop.chain, decoder=Slow())

    with pytest.raises(NotFound):
        resolver.open_thumbnail(image, 256)

    assert workshop.stored_files() == set()


def test_a_picture_that_is_no_wider_is_its_own_thumbnail(workshop: Workshop, ann: User) -> None:
    image = workshop.upload(ann)

    assert read(workshop.resolver.open_thumbnail(image, 256)) == workshop.path(image).read_bytes()


@pytest.mark.parametrize("width", [0, -1, 255, 100_000])
def test_other_widths_do_not_exist(workshop: Workshop, ann: User, width: int) -> None:
    image = workshop.upload(ann, wide_picture())

    with pytest.raises(NotFound):
        workshop.resolver.open_thumbnail(image, width)


def test_restoring_says_where_the_bytes_came_from(cloud: Workshop, ann: User) -> None:
    image: Image = cloud.upload(ann)
    there = cloud.resolver.restore(image)
    remove(cloud.path(image))

    gone = cloud.resolver.restore(image)

    assert (there, gone) == ("local", "first")
    assert cloud.path(image).exists()
