"""The allow-list of names, tried with attacks."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ChatBot.errors import BytesMissing, StorageError
from ChatBot.media.paths import StoragePaths

ID = "0123456789abcdef" * 2


def test_a_picture_lies_in_its_folder(tmp_path: Path) -> None:
    path = StoragePaths(tmp_path).original("uploads", f"{ID}.png")

    assert path == tmp_path / "uploads" / f"{ID}.png"


def test_a_thumbnail_is_named_after_picture_and_width(tmp_path: Path) -> None:
    path = StoragePaths(tmp_path).thumbnail(ID, 512)

    assert path == tmp_path / "thumbnails" / f"{ID}_512.webp"


@pytest.mark.parametrize(
    "filename",
    [
        "../../etc/passwd",
        f"../Image_Gen/{ID}.png",
        f"..\\{ID}.png",
        f"/{ID}.png",
        f"{ID}.png/../x",
        f"{ID}.png\n",
        f"{ID}.png\0.jpg",
        f"{ID}.svg",
        f"{ID}.PNG",
        f"{ID.upper()}.png",
        f"{ID[:-1]}.png",
        f"{ID}0.png",
        "\u0660" * 32 + ".png",
        f".{ID}.png.abc.tmp",
        "",
        ".",
        "..",
    ],
)
def test_traversal_and_strange_names_are_absent_files(tmp_path: Path, filename: str) -> None:
    with pytest.raises(BytesMissing):
        StoragePaths(tmp_path).original("Image_Gen", filename)


@pytest.mark.parametrize("folder", ["", ".", "..", "thumbnails", "Image_Gen/..", "/etc", "image_gen", "Image_Gen\0"])
def test_only_the_two_folders_hold_originals(tmp_path: Path, folder: str) -> None:
    with pytest.raises(BytesMissing):
        StoragePaths(tmp_path).original(folder, f"{ID}.png")


@pytest.mark.parametrize(("image_id", "width"), [("../x", 256), (ID, 257), (ID, -1), (ID + "/", 256)])
def test_only_known_widths_of_identifiers_are_thumbnails(tmp_path: Path, image_id: str, width: int) -> None:
    with pytest.raises(BytesMissing):
        StoragePaths(tmp_path).thumbnail(image_id, width)


@pytest.mark.parametrize("filename", ["..", ".", "", "a/b", "a\\b", "a\0b"])
def test_a_leftover_cannot_be_outside_its_folder(tmp_path: Path, filename: str) -> None:
    with pytest.raises(BytesMissing):
        StoragePaths(tmp_path).leftover("uploads", filename)


def test_folders_are_created_for_this_account_only(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "Storage"

    StoragePaths(root).ensure()
    StoragePaths(root).ensure()

    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in root.iterdir()} == {
        "Image_Gen": 0o700,
        "uploads": 0o700,
        "thumbnails": 0o700,
        "records": 0o700,
    }


def test_a_file_in_the_place_of_a_folder_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "Storage").write_text("in the way")

    with pytest.raises(StorageError):
        StoragePaths(tmp_path / "Storage").ensure()
