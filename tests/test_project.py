"""The project's own files agree with each other: settings, documents, vendored libraries, commands and layout."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import ChatBot
from ChatBot.config import PROJECT_ROOT, Settings
from ChatBot.media.volume import MARK_NAME

ENV_EXAMPLE = PROJECT_ROOT / ".env.example"
README = PROJECT_ROOT / "README.md"
CHANGELOG = PROJECT_ROOT / "CHANGELOG.md"
SETTING_LINE = re.compile(r"^#?([A-Z][A-Z0-9_]*)=(.*)$")
MODULES = sorted(
    path for path in (PROJECT_ROOT / "ChatBot").rglob("*.py") if "Storage" not in path.parts and path.stat().st_size
)
VENDOR_FOLDERS = tuple(PROJECT_ROOT / folder for folder in ("static/vendor", "tests/vendor", "ChatBot/media/fonts"))
# Places of one person's machine; a path in the project must mean the same everywhere.
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|home/[a-z]+|Users/[A-Za-z]+)/")


def env_example_settings() -> dict[str, str]:
    lines = ENV_EXAMPLE.read_text(encoding="utf-8").splitlines()
    return {match[1]: match[2] for match in map(SETTING_LINE.match, lines) if match}


def setting_names() -> set[str]:
    return {name.upper() for name in Settings.model_fields}


def tracked_files() -> list[Path]:
    # In a container the folder may belong to somebody else, which git refuses unless told.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=PROJECT_ROOT, check=True, capture_output=True, text=True).stdout
    return [path for name in listed.split("\0") if name and (path := PROJECT_ROOT / name).is_file()]


def make_targets() -> set[str]:
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):(?!=)", makefile, re.MULTILINE))


def test_env_example_names_every_setting_and_no_other() -> None:
    named = set(env_example_settings())

    assert named == setting_names()


def test_env_example_explains_every_setting_in_the_line_above() -> None:
    lines = ENV_EXAMPLE.read_text(encoding="utf-8").splitlines()

    unexplained = [
        line
        for previous, line in zip(["", *lines], lines, strict=False)
        if SETTING_LINE.match(line) and not re.match(r"# \S", previous)
    ]

    assert unexplained == []


@pytest.mark.parametrize("name", sorted(name for name, field in Settings.model_fields.items() if field.default))
def test_env_example_shows_the_default(name: str) -> None:
    shown = env_example_settings()[name.upper()]

    given: dict[str, Any] = {name: shown}
    value = getattr(Settings(_env_file=None, **given), name)

    default = Settings.model_fields[name].default
    assert (PROJECT_ROOT / value if isinstance(value, Path) else value) == default


def test_env_example_sets_nothing_but_the_place_of_the_secret_key() -> None:
    lines = ENV_EXAMPLE.read_text(encoding="utf-8").splitlines()

    active = [line for line in lines if line and not line.startswith("#")]

    assert active == ["SECRET_KEY="]


def test_readme_has_a_row_for_every_setting_and_no_other() -> None:
    rows = re.findall(r"^\| `([A-Z][A-Z0-9_]*)` \|", README.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(rows) == sorted(setting_names())


def test_newest_version_in_the_changelog_is_the_version() -> None:
    versions = re.findall(r"^## \[?(\d+\.\d+\.\d+)", CHANGELOG.read_text(encoding="utf-8"), re.MULTILINE)

    assert versions[0] == ChatBot.__version__


@pytest.mark.parametrize("folder", VENDOR_FOLDERS, ids=lambda folder: folder.parent.name)
def test_vendored_files_have_the_recorded_hashes(folder: Path) -> None:
    recorded = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))

    present = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }

    assert present == recorded


def test_vendored_folders_are_the_pinned_libraries_with_their_licences() -> None:
    package = json.loads((PROJECT_ROOT / "package.json").read_text(encoding="utf-8"))

    everything = package["dependencies"] | package["devDependencies"]
    pinned = {f"{name.rpartition('/')[2]}-{version}" for name, version in everything.items()}
    vendored = {path.parent.name for folder in VENDOR_FOLDERS for path in folder.glob("*/LICENSE")}

    assert vendored == pinned


def test_npm_lock_holds_the_pinned_versions_and_no_download_address() -> None:
    package = json.loads((PROJECT_ROOT / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((PROJECT_ROOT / "package-lock.json").read_text(encoding="utf-8"))

    locked = {path.removeprefix("node_modules/"): entry for path, entry in lock["packages"].items() if path}

    assert {name: entry["version"] for name, entry in locked.items()} == (
        package["dependencies"] | package["devDependencies"]
    )
    assert all(entry["integrity"].startswith("sha512-") for entry in locked.values())
    assert not any("resolved" in entry for entry in locked.values())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PROJECT_ROOT).as_posix())
def test_module_says_what_it_is_and_stays_short(path: Path) -> None:
    source = path.read_text(encoding="utf-8")

    assert ast.get_docstring(ast.parse(source)), "a module opens with a sentence about itself"
    assert len(source.splitlines()) <= 300, "split it: one noun, one module"


def test_no_tracked_file_names_a_path_of_one_machine() -> None:
    found = []
    for path in tracked_files():
        if any(folder in path.parents for folder in VENDOR_FOLDERS):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or another binary file
        found += [f"{path.relative_to(PROJECT_ROOT)}: {match}" for match in MACHINE_PATH.findall(text)]

    assert found == []


def test_nothing_a_run_leaves_behind_is_tracked() -> None:
    tracked = {path.relative_to(PROJECT_ROOT).as_posix() for path in tracked_files()}

    stored = {name for name in tracked if name.startswith(("ChatBot/Storage/", "ChatBot/Storage-db/", "node_modules/"))}

    assert {name for name in stored if not name.endswith("/.gitkeep")} == set()
    assert ".env" not in tracked


def test_git_sees_nothing_of_what_a_run_leaves_behind() -> None:
    left = [
        ".env",
        "ChatBot/Storage-db/data/WiredTiger",
        *(f"ChatBot/Storage/{name}" for name in (MARK_NAME, "Image_Gen/a.png", "records/m-a.json", "spool/a", "new/a")),
    ]
    command = ["git", "-c", "safe.directory=*", "check-ignore", *left]

    ignored = subprocess.run(command, cwd=PROJECT_ROOT, check=False, capture_output=True, text=True).stdout.splitlines()

    assert ignored == left


def test_make_help_lists_every_target() -> None:
    make = shutil.which("make") or "make"

    shown = subprocess.run([make, "help"], cwd=PROJECT_ROOT, check=True, capture_output=True, text=True).stdout

    assert set(re.findall(r"^  make ([a-z-]+) ", shown, re.MULTILINE)) == make_targets()


@pytest.mark.parametrize(("shell", "script"), [("bash", ".ci/run"), ("sh", "scripts/setup.sh")])
def test_script_parses_and_may_be_run(shell: str, script: str) -> None:
    path = PROJECT_ROOT / script

    parsed = subprocess.run([shell, "-n", str(path)], check=False, capture_output=True, text=True)

    assert (parsed.returncode, parsed.stderr) == (0, "")
    assert path.stat().st_mode & 0o111 == 0o111


@pytest.mark.parametrize("page", ["proof.md", "security.md"])
def test_every_test_that_a_page_names_exists(page: str) -> None:
    text = (PROJECT_ROOT / "docs" / page).read_text("utf-8")
    named = set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text))

    absent = [
        f"{path}::{name}"
        for path, name in sorted(named)
        if not (PROJECT_ROOT / path).is_file()
        or (name and f"def {name}(" not in (PROJECT_ROOT / path).read_text("utf-8"))
    ]

    assert named
    assert absent == []


@pytest.mark.parametrize(("page", "start"), [("proof.md", "## Faults"), ("security.md", "## Who may")])
def test_every_fault_and_threat_has_a_test_function(page: str, start: str) -> None:
    text = (PROJECT_ROOT / "docs" / page).read_text("utf-8")
    rows = [line for line in text[text.index(start) :].splitlines() if line.startswith("| ")]

    vague = [line for line in rows if line.split("|")[1].strip() not in ("fault", "threat") and ".py::" not in line]

    assert len(rows) > 15
    assert vague == []
