"""The embedded server keeps what it acknowledged, has one owner, and lives exactly as long as that owner."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from ChatBot.config import PROJECT_ROOT, Settings
from ChatBot.db.connection import connect, ping
from ChatBot.db.embedded import AttachedServer, EmbeddedServer, attach, ensure
from ChatBot.db.mongod.address import LoopbackAddress, SocketAddress
from ChatBot.db.mongod.orphan import stop_orphan
from ChatBot.errors import DatabaseUnavailable, SettingsError

PATIENCE_SECONDS = 60.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a database that does not exist yet."""
    return tmp_path / "Storage-db"


@pytest.fixture
def own(root: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start other processes that own the database; they are killed afterwards."""
    processes: list[subprocess.Popen[str]] = []

    def begin(task: str = "wait") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.db.owner_process", str(root), task],
            cwd=PROJECT_ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    stop_orphan(root / "data")
    SocketAddress(root).remove()


def ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


def gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def eventually(check: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def insert(uri: str, name: str) -> None:
    handle = connect(uri, "test")
    handle["things"].insert_one({"_id": name})
    handle.client.close()


def names(uri: str, database: str = "test", collection: str = "things") -> set[Any]:
    handle = connect(uri, database)
    found = {document["_id"] for document in handle[collection].find()}
    handle.client.close()
    return found


def test_a_restart_keeps_the_data_and_the_address(root: Path) -> None:
    first = EmbeddedServer(root).start("testing")
    address = first.uri
    insert(address, "kept")
    first.stop()

    second = EmbeddedServer(root).start("testing")

    assert second.uri == address
    assert names(second.uri) == {"kept"}
    second.stop()


def test_stop_ends_mongod_cleanly_and_leaves_nothing_open(root: Path) -> None:
    server = EmbeddedServer(root).start("testing")
    pid, socket_folder = server.pid, Path(server._address.member).parent  # type: ignore[union-attr]
    assert pid is not None

    server.stop()
    server.stop()

    assert gone(pid)
    assert (root / "data" / "mongod.lock").read_text() == ""
    assert not socket_folder.exists()
    assert attach(root) is None
    with pytest.raises(DatabaseUnavailable, match="not started"):
        server.uri  # noqa: B018 - reading it is the test


def test_only_this_account_can_enter_the_folder(root: Path) -> None:
    root.mkdir(mode=0o755)
    server = EmbeddedServer(root).start("testing")

    assert root.stat().st_mode & 0o777 == 0o700
    assert (root / "owner.json").stat().st_mode & 0o777 == 0o600
    server.stop()


def test_the_log_of_the_previous_start_is_kept_and_no_more(root: Path) -> None:
    for _ in range(3):
        EmbeddedServer(root).start("testing").stop()

    assert sorted(path.name for path in root.glob("mongod.log*")) == ["mongod.log", "mongod.log.1"]


def test_a_second_owner_is_told_who_has_it(root: Path) -> None:
    server = EmbeddedServer(root).start("serving on port 5000")

    with pytest.raises(SettingsError, match=rf"process {os.getpid()} \(serving on port 5000 since .* UTC\)"):
        EmbeddedServer(root).start("testing")

    assert attach(root) == server.uri
    server.stop()


def test_another_process_is_told_and_may_attach(root: Path, own: Callable[..., subprocess.Popen[str]]) -> None:
    owner = own()
    uri = ready(owner)["uri"]

    assert attach(root) == uri
    insert(uri, "from outside")
    assert names(uri) == {"from outside"}
    with pytest.raises(SettingsError, match=f"process {owner.pid} "):
        EmbeddedServer(root).start("testing")


def test_attach_waits_for_an_owner_that_is_still_starting(
    root: Path, own: Callable[..., subprocess.Popen[str]]
) -> None:
    owner = own()
    assert eventually((root / "owner.json").exists)

    uri = attach(root)

    assert uri == ready(owner)["uri"]


def test_attach_to_a_folder_nobody_ever_used_makes_nothing(root: Path) -> None:
    assert attach(root) is None
    assert not root.exists()


def test_ensure_attaches_to_the_running_server_and_leaves_it_running(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, storage_root=tmp_path / "Storage")
    server = ensure(settings, "serving", may_attach=False)

    guest = ensure(settings, "cleaning up", may_attach=True)
    guest.stop()

    assert isinstance(guest, AttachedServer)
    assert names(server.uri) == set()
    server.stop()


def test_ensure_starts_a_server_when_nobody_has_one(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, storage_root=tmp_path / "Storage")

    server = ensure(settings, "cleaning up", may_attach=True)

    assert isinstance(server, EmbeddedServer)
    assert attach(settings.database_root) == server.uri
    server.stop()


def test_ensure_without_attaching_is_refused_while_another_owns_it(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, storage_root=tmp_path / "Storage")
    server = ensure(settings, "serving", may_attach=False)

    with pytest.raises(SettingsError, match="already uses the database"):
        ensure(settings, "serving too", may_attach=False)

    server.stop()


def test_many_that_ensure_at_once_share_one_server(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, storage_root=tmp_path / "Storage")
    servers: list[Any] = []
    threads = [
        threading.Thread(target=lambda: servers.append(ensure(settings, "racing", may_attach=True))) for _ in range(6)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({server.uri for server in servers}) == 1
    assert sum(isinstance(server, EmbeddedServer) for server in servers) == 1
    for server in servers:
        server.stop()


def test_the_server_outlives_the_thread_that_asked_for_it(root: Path) -> None:
    server = EmbeddedServer(root)
    pids: list[int | None] = []
    thread = threading.Thread(target=lambda: pids.append(server.start("testing").pid))

    thread.start()
    thread.join()
    insert(server.uri, "later")

    assert names(server.uri) == {"later"}
    assert server.pid == pids[0]
    server.stop()


def test_an_interrupt_in_the_terminal_does_not_reach_mongod(root: Path) -> None:
    server = EmbeddedServer(root).start("testing")
    assert server.pid is not None

    assert os.getsid(server.pid) != os.getsid(0)
    server.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_mongod_dies_with_a_killed_owner_and_keeps_what_it_acknowledged(
    root: Path, own: Callable[..., subprocess.Popen[str]]
) -> None:
    owner = own()
    found = ready(owner)
    insert(found["uri"], "acknowledged")

    owner.kill()
    owner.wait()

    assert eventually(lambda: gone(found["mongod"]))
    server = EmbeddedServer(root).start("testing")
    assert names(server.uri) == {"acknowledged"}
    server.stop()


def test_a_killed_mongod_comes_back_for_the_same_client(root: Path) -> None:
    server = EmbeddedServer(root).start("testing")
    handle = connect(server.uri, "test")
    handle["things"].insert_one({"_id": "before"})
    killed = server.pid
    assert killed is not None

    os.kill(killed, signal.SIGKILL)
    handle["things"].insert_one({"_id": "after"})

    assert {document["_id"] for document in handle["things"].find()} == {"before", "after"}
    assert server.pid != killed
    handle.client.close()
    server.stop()


def test_no_acknowledged_write_is_lost_over_five_hard_kills(
    root: Path, own: Callable[..., subprocess.Popen[str]]
) -> None:
    acknowledged: set[int] = set()

    for kill_number in range(5):
        owner = own("write")
        mongod = ready(owner)["mongod"]
        assert owner.stdout is not None
        acknowledged.update(int(owner.stdout.readline()) for _ in range(50 + 37 * kill_number))
        for pid in (mongod, owner.pid) if kill_number % 2 else (owner.pid, mongod):
            os.kill(pid, signal.SIGKILL)
        rest = owner.stdout.read()
        acknowledged.update(int(line) for line in rest.splitlines(keepends=True) if line.endswith("\n"))

    server = EmbeddedServer(root).start("testing")
    stored = names(server.uri, "kills", "numbers")
    assert len(acknowledged) >= 5 * 50
    assert acknowledged - stored == set()
    server.stop()


def test_a_moved_data_folder_keeps_its_data(root: Path) -> None:
    server = EmbeddedServer(root).start("testing")
    insert(server.uri, "kept")
    server.stop()
    moved = root.with_name("Moved-db")
    root.rename(moved)

    server = EmbeddedServer(moved).start("testing")

    assert names(server.uri) == {"kept"}
    insert(server.uri, "and writable")
    server.stop()


def test_loopback_needs_the_password_and_survives_a_restart(root: Path) -> None:
    for name in ("first", "second"):
        root.mkdir(mode=0o700, exist_ok=True)
        address = LoopbackAddress(root)
        server = EmbeddedServer(root, address=address).start("testing")
        insert(server.uri, name)
        stranger = connect(f"mongodb://{address.member}/?directConnection=true", "test")
        with pytest.raises(Exception, match="requires authentication"):
            stranger["things"].find_one()
        stranger.client.close()
        found = names(server.uri)
        server.stop()

    assert found == {"first", "second"}


def break_data(root: Path) -> None:
    (root / "data").mkdir(parents=True, exist_ok=True)
    for name in ("WiredTiger", "WiredTiger.turtle"):
        (root / "data" / name).write_text("not a database")


def test_damaged_data_is_left_as_it_is_and_the_log_is_named(root: Path) -> None:
    EmbeddedServer(root).start("testing").stop()
    break_data(root)

    with pytest.raises(SettingsError, match=r"mongod ended at once \(exit code -?\d+\): .*mongod\.log"):
        EmbeddedServer(root).start("testing")

    assert attach(root) is None
    assert (root / "data" / "WiredTiger").read_text() == "not a database"


def test_what_a_killed_first_start_left_is_set_aside(root: Path) -> None:
    break_data(root)

    server = EmbeddedServer(root).start("testing")
    insert(server.uri, "works")

    assert [path.name.partition("-")[0] for path in root.glob("data.*")] == ["data.unfinished"]
    server.stop()


def test_a_first_start_killed_at_any_moment_can_be_repeated(
    root: Path, own: Callable[..., subprocess.Popen[str]]
) -> None:
    for delay_seconds in (0.4, 0.5, 0.6, 0.7):
        owner = own()
        time.sleep(delay_seconds)
        owner.kill()
        owner.wait()

    server = EmbeddedServer(root).start("testing")

    insert(server.uri, "works")
    assert names(server.uri) == {"works"}
    server.stop()


def test_without_a_binary_the_sentence_says_what_to_do(root: Path) -> None:
    with pytest.raises(SettingsError, match="MONGOD_PATH"):
        EmbeddedServer(root, mongod_path="/nowhere/mongod").start("testing")

    assert attach(root) is None


def test_a_folder_that_cannot_be_made_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(SettingsError, match="STORAGE_ROOT"):
        EmbeddedServer(tmp_path / "file" / "db").start("testing")


def test_an_unready_owner_is_not_attached_to(root: Path, own: Callable[..., subprocess.Popen[str]]) -> None:
    owner = own()
    ready(owner)
    (root / "owner.json").unlink()

    with pytest.raises(DatabaseUnavailable, match="does not get its database ready"):
        attach(root, wait_seconds=0.1)


def test_the_server_answers_a_ping_over_its_socket(root: Path) -> None:
    server = EmbeddedServer(root).start("testing")
    handle = connect(server.uri, "test")

    assert ping(handle) > 0
    handle.client.close()
    server.stop()
