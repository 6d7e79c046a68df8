"""The server's endpoint is private, short and stable."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ChatBot.db.mongod.address import LoopbackAddress, SocketAddress
from ChatBot.errors import SettingsError


@pytest.fixture
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short folder to put socket folders in."""
    return tmp_path_factory.mktemp("run")


def folder_of(address: SocketAddress) -> Path:
    return Path(address.member).parent


def test_the_socket_folder_is_private(tmp_path: Path, runtime: Path) -> None:
    address = SocketAddress(tmp_path, runtime_root=runtime)

    address.prepare()

    assert folder_of(address).stat().st_mode & 0o777 == 0o700


def test_a_lax_folder_of_ours_is_tightened(tmp_path: Path, runtime: Path) -> None:
    address = SocketAddress(tmp_path, runtime_root=runtime)
    folder_of(address).mkdir()
    folder_of(address).chmod(0o777)

    address.prepare()

    assert folder_of(address).stat().st_mode & 0o777 == 0o700


def test_the_address_depends_on_the_data_folder_alone(tmp_path: Path, runtime: Path) -> None:
    (tmp_path / "same").symlink_to(tmp_path)

    first, again, other = (
        SocketAddress(root, runtime_root=runtime).uri for root in (tmp_path, tmp_path / "same", tmp_path / "other")
    )

    assert first == again
    assert first != other


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path, runtime: Path) -> None:
    address = SocketAddress(tmp_path, runtime_root=runtime)
    folder_of(address).symlink_to(tmp_path)

    with pytest.raises(SettingsError, match="not a link"):
        address.prepare()


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path, runtime: Path) -> None:
    address = SocketAddress(tmp_path, runtime_root=runtime)
    folder_of(address).write_text("")

    with pytest.raises(SettingsError, match="cannot hold the database's socket"):
        address.prepare()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_account_is_refused(tmp_path: Path, runtime: Path) -> None:
    address = SocketAddress(tmp_path, runtime_root=runtime)
    folder_of(address).mkdir(mode=0o700)
    os.chown(folder_of(address), 65534, 65534)

    with pytest.raises(SettingsError, match="somebody else's"):
        address.prepare()


def test_a_path_too_long_for_a_socket_names_tmpdir(tmp_path: Path) -> None:
    address = SocketAddress(tmp_path, runtime_root=tmp_path / ("x" * 100))

    with pytest.raises(SettingsError, match="TMPDIR"):
        address.prepare()


def test_a_long_data_folder_still_has_a_short_address(tmp_path: Path) -> None:
    address = SocketAddress(tmp_path / ("x" * 200))

    assert len(address.member) <= 100


def test_remove_takes_the_sockets_and_the_folder_away(tmp_path: Path, runtime: Path) -> None:
    address = SocketAddress(tmp_path, runtime_root=runtime)
    address.prepare()
    Path(address.member).touch()

    address.remove()

    assert not folder_of(address).exists()


def test_the_password_stays_the_same_and_is_not_the_key(tmp_path: Path) -> None:
    first, again = LoopbackAddress(tmp_path), LoopbackAddress(tmp_path)

    assert first.password == again.password
    assert first.key == again.key
    assert first.key is not None
    assert first.key not in first.uri
    assert (tmp_path / "mongod.key").stat().st_mode & 0o777 == 0o600
