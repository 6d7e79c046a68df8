"""What each container gives up, and what it must keep."""

from __future__ import annotations

import struct
import zlib

import pytest

from ChatBot.errors import PictureRefused
from ChatBot.media.containers import STRIPPERS, gif, jpeg, png, sniff, webp
from tests.media.samples import animation, noise, opened, photograph, png_chunk, saved


def interlaced(width: int, height: int, missing: int = 0) -> bytes:
    """Return a grey Adam7 PNG whose pixel data are ``missing`` bytes too short."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows = bytearray()
    for left, top, across, down in passes:
        columns = len(range(left, width, across))
        for _ in range(top, height, down):
            rows += b"\0" + b"\x80" * columns if columns else b""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1))
    body = png_chunk(b"IDAT", zlib.compress(bytes(rows[: len(rows) - missing])))
    return png.SIGNATURE + header + body + png_chunk(b"IEND", b"")


def test_signatures_decide_the_format() -> None:
    assert sniff(b"GIF87a") == "GIF"
    assert sniff(b"RIFF0000WAVE") is None
    assert sniff(b"\xff\xd8") is None


def test_png_keeps_colour_and_drops_the_rest() -> None:
    data = saved(noise((5, 5)), "PNG")
    gamma, time = png_chunk(b"gAMA", struct.pack(">I", 45_455)), png_chunk(b"tIME", bytes(7))
    hidden = png_chunk(b"hiDe", b"<script>")

    stripped = png.strip(data[:33] + gamma + time + hidden + data[33:])

    assert stripped.data == data[:33] + gamma + data[33:]


def test_a_wrong_checksum_of_pixels_is_found_as_browsers_find_it() -> None:
    data = bytearray(saved(noise((5, 5)), "PNG"))
    data[-13] ^= 1  # the last byte before IEND's twelve

    with pytest.raises(PictureRefused, match="checksum"):
        png.strip(bytes(data))


def test_png_with_an_unknown_part_that_is_needed_is_refused() -> None:
    data = saved(noise((5, 5)), "PNG")

    with pytest.raises(PictureRefused):
        png.strip(data[:33] + png_chunk(b"CgBI", bytes(4)) + data[33:])


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (8, 8), (17, 31)])
def test_the_length_of_interlaced_pixels_is_known(size: tuple[int, int]) -> None:
    assert opened(interlaced(*size)).size == size
    assert png.has_all_pixels(interlaced(*size))
    assert not png.has_all_pixels(interlaced(*size, missing=1))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_the_length_of_pixels_is_known_in_every_mode(mode: str) -> None:
    assert png.has_all_pixels(saved(noise((13, 7), "RGBA").convert(mode), "PNG"))


def test_jpeg_keeps_only_what_decoding_needs() -> None:
    data = saved(photograph((40, 30)), "JPEG", comment=b"secret", exif=b"Exif\0\0secret", icc_profile=b"p" * 70_000)
    data = data[:2] + b"\xff\xed\x00\x0dsecret IPTC" + data[2:]

    stripped = jpeg.strip(data)

    assert b"secret" not in stripped.data
    assert stripped.exif == b"secret"
    assert opened(stripped.data).info["icc_profile"] == b"p" * 70_000
    assert opened(stripped.data).tobytes() == opened(data).tobytes()


def test_a_second_picture_behind_a_jpeg_is_cut_off() -> None:
    pictures = [photograph((40, 30), seed) for seed in (1, 2)]
    data = saved(pictures[0], "MPO", save_all=True, append_images=pictures[1:])

    stripped = jpeg.strip(data)

    assert opened(stripped.data).format == "JPEG"
    assert stripped.data.count(b"\xff\xd8\xff") == 1


def test_padding_between_jpeg_parts_is_no_damage() -> None:
    data = saved(photograph((40, 30)), "JPEG")

    assert jpeg.strip(data[:2] + b"\xff\xff" + data[2:]).data == jpeg.strip(data).data


def test_gif_keeps_the_loop_and_drops_other_applications() -> None:
    data = animation("GIF")
    hidden = b"\x21\xff\x0bXMP DataXMP\x06secret\x00"

    stripped = gif.strip(data[:-1] + hidden + b";")

    assert b"secret" not in stripped.data
    assert b"NETSCAPE2.0" in stripped.data
    assert stripped.frames == 5


def test_webp_no_longer_announces_what_was_taken_out() -> None:
    data = saved(photograph((40, 30)), "WEBP", exif=b"Exif\0\0secret", xmp=b"<secret/>")

    stripped = webp.strip(data)

    assert b"secret" not in stripped.data
    assert stripped.data[20] & 0x0C == 0
    assert int.from_bytes(stripped.data[4:8], "little") == len(stripped.data) - 8


def test_what_hides_inside_a_webp_frame_is_taken_out() -> None:
    data = animation("WEBP")
    start = data.index(b"ANMF")
    size = int.from_bytes(data[start + 4 : start + 8], "little")
    end = start + 8 + size
    hidden = b"HIDE" + struct.pack("<I", 6) + b"secret"
    frame = b"ANMF" + struct.pack("<I", size + len(hidden)) + data[start + 8 : end] + hidden
    body = data[8:start] + frame + data[end:]

    stripped = webp.strip(b"RIFF" + struct.pack("<I", len(body)) + body)

    assert stripped.data == webp.strip(data).data


@pytest.mark.parametrize(
    "flood",
    [
        b"GIF89a" + bytes(7) + b"\x21\xfe\x00" * 300_000 + b";",
        b"GIF89a" + bytes(7) + b"\x2c" + bytes(9) + b"\x02" + b"\x01\x44" * 300_000 + b"\x00;",
        b"\xff\xd8" + b"\xff\xfe\x00\x02" * 300_000 + b"\xff\xd9",
        png.SIGNATURE + b"\0\0\0\0abCDxxxx" * 300_000,
        b"RIFF" + struct.pack("<I", 4 + 8 * 300_000) + b"WEBP" + b"ABCD\0\0\0\0" * 300_000,
    ],
    ids=["gif-extensions", "gif-blocks", "jpeg", "png", "webp"],
)
def test_a_flood_of_tiny_parts_is_refused(flood: bytes) -> None:
    found = sniff(flood)
    assert found is not None

    with pytest.raises(PictureRefused, match="parts"):
        STRIPPERS[found](flood)
