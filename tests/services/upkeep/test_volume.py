"""The bond between the storage folder and the database."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ChatBot.container import Services
from ChatBot.db.marks import Marks, StorageMark
from ChatBot.db.repositories import Repositories
from ChatBot.errors import SettingsError
from ChatBot.media.volume import VolumeMark
from ChatBot.services.upkeep.volume import Volume

FOREIGN = "f" * 32


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "Storage"


@pytest.fixture
def marks(repositories: Repositories) -> Marks:
    return repositories.marks


@pytest.fixture
def volume(root: Path, marks: Marks) -> Volume:
    return Volume(VolumeMark(root), marks)


def test_first_start_marks_both(volume: Volume, root: Path, marks: Marks) -> None:
    volume.begin()

    known = marks.storage()
    assert known is not None
    assert volume.require() == known.volume_id == VolumeMark(root).read()


def test_later_starts_change_nothing(volume: Volume) -> None:
    volume.begin()
    first = volume.require()

    volume.begin()
    volume.begin_again()

    assert volume.require() == first


def test_folder_that_was_never_started_is_refused(volume: Volume) -> None:
    with pytest.raises(SettingsError, match="start the server once"):
        volume.require()


def test_absent_folder_is_refused_and_not_marked_by_a_command(volume: Volume, root: Path) -> None:
    volume.begin()
    shutil.rmtree(root)
    root.mkdir()

    volume.begin()

    with pytest.raises(SettingsError, match="mount the volume"):
        volume.require()
    assert list(root.iterdir()) == []


def test_emptied_folder_is_marked_again_by_a_server(volume: Volume, root: Path) -> None:
    volume.begin()
    first = volume.require()
    shutil.rmtree(root)

    volume.begin_again()

    assert volume.require() == first


def test_folder_whose_mount_is_missing_is_not_marked_by_a_server(volume: Volume, root: Path, marks: Marks) -> None:
    marks.claim_storage(StorageMark("a" * 32, "/mnt/pictures"))

    volume.begin_again()

    assert VolumeMark(root).read() is None
    with pytest.raises(SettingsError, match="mount the volume"):
        volume.require()


def test_folder_of_another_database_is_refused(volume: Volume, root: Path) -> None:
    volume.begin()
    VolumeMark(root).write(FOREIGN)

    volume.begin_again()

    with pytest.raises(SettingsError, match="another id"):
        volume.require()


def test_database_that_lost_everything_does_not_take_the_folder_until_it_is_rebuilt(volume: Volume, root: Path) -> None:
    VolumeMark(root).write(FOREIGN)
    volume.begin()
    volume.begin_again()

    with pytest.raises(SettingsError, match="images rebuild"):
        volume.require()
    volume.adopt()

    assert volume.require() == FOREIGN


def test_database_does_not_adopt_a_second_folder(volume: Volume, root: Path) -> None:
    volume.begin()
    VolumeMark(root).write(FOREIGN)

    volume.adopt()

    with pytest.raises(SettingsError):
        volume.require()


def test_damaged_mark_is_named(volume: Volume, root: Path) -> None:
    volume.begin()
    VolumeMark(root).path.write_text("[]")

    with pytest.raises(Exception, match="damaged"):
        volume.require()


def test_server_is_not_ready_on_a_foreign_folder(make_services: Callable[..., Services]) -> None:
    services = make_services()
    ready = services.readiness()
    VolumeMark(services.settings.storage_root).write(FOREIGN)

    foreign = services.readiness()

    assert ready["ready"] is True
    assert (foreign["ready"], "another database" in foreign["disk"]["reason"]) == (False, True)
