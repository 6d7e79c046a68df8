"""Pictures accepted, and every family of hostile file refused with its reason."""

from __future__ import annotations

import os
import random
import struct
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from ChatBot.errors import PictureRefused
from ChatBot.media.encoding import encode
from ChatBot.media.inspection import Picture, decoding_slot, inspect
from tests.media.samples import LIMITS, animation, marked, noise, photograph, png_chunk, saved

FORMATS = ["PNG", "JPEG", "GIF", "WEBP"]


def inspected(data: bytes) -> Picture:
    return inspect(data, max_pixels=40_000_000, max_frames=1000)


def refusal(data: bytes, **limits: int) -> str:
    with pytest.raises(PictureRefused) as caught:
        inspect(data, **{**LIMITS, **limits})
    assert str(caught.value).endswith(".")
    return caught.value.reason


def png_header(width: int, height: int) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(bytes(1000))) + png_chunk(b"IEND", b"")


@pytest.mark.parametrize("image_format", FORMATS)
def test_each_allowed_format_is_recognised_by_its_bytes(image_format: str) -> None:
    picture = inspected(saved(photograph((60, 40)), image_format))

    assert (picture.format, picture.size, picture.frames) == (image_format, (60, 40), 1)


@pytest.mark.parametrize("image_format", ["TIFF", "BMP", "ICO", "PPM", "TGA"])
def test_other_formats_that_pillow_knows_are_refused(image_format: str) -> None:
    assert refusal(saved(photograph((32, 32)), image_format)) == "format"


@pytest.mark.parametrize("data", [b"hello, I am called picture.png", b"<svg xmlns='x'/>", b"%PDF-1.7", b"PK\x03\x04"])
def test_text_named_png_is_refused(data: bytes) -> None:
    assert refusal(data) == "format"


def test_zero_bytes_are_refused() -> None:
    assert refusal(b"") == "empty"


@pytest.mark.parametrize("eighth", range(1, 8))
@pytest.mark.parametrize("image_format", FORMATS)
def test_truncation_at_every_eighth_is_refused(image_format: str, eighth: int) -> None:
    data = saved(photograph((200, 150)), image_format)

    assert refusal(data[: len(data) * eighth // 8]) == "truncated"


@pytest.mark.parametrize("image_format", FORMATS)
def test_a_missing_last_byte_is_refused(image_format: str) -> None:
    assert refusal(saved(photograph((64, 64)), image_format)[:-1]) == "truncated"


@pytest.mark.parametrize("options", [{"progressive": True}, {"optimize": True}, {"subsampling": 0}])
def test_half_a_jpeg_of_any_kind_is_refused(options: dict[str, int]) -> None:
    data = saved(photograph((200, 150)), "JPEG", **options)

    assert refusal(data[: len(data) // 2]) == "truncated"


def test_a_png_whose_pixels_stop_half_way_is_refused() -> None:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 100, 100, 8, 2, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress(bytes(301 * 50)))
    data = b"\x89PNG\r\n\x1a\n" + header + pixels + png_chunk(b"IEND", b"")

    assert refusal(data) in {"truncated", "corrupt"}


def test_a_black_picture_is_not_taken_for_one_that_stops_half_way() -> None:
    assert inspected(saved(Image.new("RGB", (100, 100)), "PNG")).size == (100, 100)


@given(seed=st.integers(0, 10**6), image_format=st.sampled_from(FORMATS))
@settings(max_examples=150, deadline=None)
def test_flipped_bits_are_refused_or_still_a_picture(seed: int, image_format: str) -> None:
    chance = random.Random(seed)
    data = bytearray(saved(photograph((50, 40)), image_format))
    for _ in range(chance.randrange(1, 6)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)

    try:
        picture = inspected(bytes(data))
    except PictureRefused:
        return

    assert picture.width * picture.height <= 40_000_000


@given(tail=st.binary(max_size=300), image_format=st.sampled_from(FORMATS))
@settings(max_examples=150, deadline=None)
def test_rubbish_behind_a_signature_is_refused(tail: bytes, image_format: str) -> None:
    head = saved(photograph((20, 20)), image_format)[: 12 + len(tail) % 20]

    assert refusal(head + tail) in {"truncated", "corrupt", "format", "pixels", "frames"}


def test_a_flipped_bit_in_png_pixels_is_always_found() -> None:
    data = bytearray(saved(noise((40, 40)), "PNG"))
    data[len(data) // 2] ^= 1

    assert refusal(bytes(data)) == "corrupt"


def test_decompression_bomb_is_refused_from_its_header() -> None:
    assert refusal(png_header(50_000, 50_000)) == "pixels"
    assert refusal(png_header(10_000, 9_500)) == "pixels"
    assert refusal(png_header(6_400, 6_400)) == "pixels"


def test_the_pixel_limit_is_inclusive() -> None:
    data = saved(photograph((100, 100)), "PNG")

    assert inspect(data, max_pixels=10_000, max_frames=1).size == (100, 100)
    assert refusal(data, max_pixels=9_999) == "pixels"


def test_webp_canvas_bomb_is_refused() -> None:
    flags = bytes([0x02, 0, 0, 0]) + (16_382).to_bytes(3, "little") * 2
    body = b"WEBPVP8X" + struct.pack("<I", 10) + flags + b"ANIM" + struct.pack("<I", 6) + bytes(6)

    assert refusal(b"RIFF" + struct.pack("<I", len(body)) + body) in {"pixels", "corrupt"}


def test_gif_frame_larger_than_its_canvas_counts_as_pixels() -> None:
    data = bytearray(saved(Image.new("P", (4, 4)), "GIF"))
    frame = data.index(b"\x2c", 13 + 3 * 2 ** ((data[10] & 7) + 1))
    data[frame + 5 : frame + 9] = struct.pack("<HH", 65_535, 65_535)

    assert refusal(bytes(data)) == "pixels"


def test_ten_thousand_frames_are_refused_by_counting() -> None:
    one = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    data = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6) + one * 10_000 + b";"

    assert refusal(data) == "frames"
    assert refusal(animation("WEBP", frames=5), max_frames=4) == "frames"
    assert refusal(animation("PNG", frames=5), max_frames=4) == "frames"


def test_an_animation_on_a_huge_canvas_is_refused_although_a_still_picture_may_be_as_large() -> None:
    moving = bytearray(animation("GIF"))
    moving[6:10] = struct.pack("<HH", 808, 32_806)

    assert refusal(bytes(moving), max_canvas_pixels=10_000_000) == "pixels"
    with pytest.raises(PictureRefused, match="moving picture"):
        encode(bytes(moving), max_bytes=0, **LIMITS)


def test_an_animation_that_is_kept_already_has_no_further_limit() -> None:
    data = animation("GIF", size=(100, 100), frames=3)

    assert inspect(data, max_pixels=10_000, max_frames=3).frames == 3


def test_many_large_frames_are_refused_together() -> None:
    data = animation("GIF", size=(100, 100), frames=9)

    assert refusal(data, max_pixels=20_000) == "frames"


def test_a_jpeg_painted_over_without_end_is_refused() -> None:
    data = saved(photograph((16, 16)), "JPEG")
    scan = data.rindex(b"\xff\xda")

    assert refusal(data[:-2] + data[scan:-2] * 501 + b"\xff\xd9") == "corrupt"


@pytest.mark.parametrize("tail", [b"<html><script>alert(1)</script>", b"PK\x03\x04 a whole archive PK\x05\x06", b"\0"])
@pytest.mark.parametrize("image_format", FORMATS)
def test_polyglot_loses_what_follows_the_picture(image_format: str, tail: bytes) -> None:
    clean = inspected(saved(photograph((60, 40)), image_format)).data

    assert inspected(clean + tail).data == clean


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG"])
def test_frames_and_durations_are_counted(image_format: str) -> None:
    picture = inspected(animation(image_format))

    assert (picture.frames, picture.durations_ms) == (5, (50, 60, 70, 80, 90))


def test_prompt_texts_of_a_png_are_taken_out() -> None:
    body = b"workflow\0\x01\0\0\0" + zlib.compress('{"a": "ä"}'.encode())
    data = saved(marked(), "PNG")
    data = data[:33] + png_chunk(b"tEXt", b"parameters\0a red fox") + png_chunk(b"iTXt", body) + data[33:]

    picture = inspected(data)

    assert picture.metadata == {"parameters": "a red fox", "workflow": '{"a": "ä"}'}
    assert b"red fox" not in picture.data


def test_a_text_bomb_is_cut() -> None:
    data = saved(marked(), "PNG")
    bomb = png_chunk(b"zTXt", b"bomb\0\0" + zlib.compress(b"a" * 50_000_000))

    assert len(inspected(data[:33] + bomb + data[33:]).metadata["bomb"]) == 65_536


def test_keys_that_mongodb_would_misread_are_mended() -> None:
    data = saved(marked(), "PNG")
    texts = png_chunk(b"tEXt", b"$a.b\0one") + png_chunk(b"tEXt", b"\0no key")

    assert inspected(data[:33] + texts + data[33:]).metadata == {"_a_b": "one"}


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_exif_fields_are_taken_out(image_format: str) -> None:
    exif = Image.Exif()
    exif[Base.ImageDescription] = "A lighthouse"
    exif[Base.Make], exif[Base.Model] = "Acme", "One"
    exif.get_ifd(IFD.Exif)[Base.UserComment] = b"UNICODE\0" + "đèn biển".encode("utf-16-le")
    exif.get_ifd(IFD.GPSInfo).update(
        {GPS.GPSLatitudeRef: "S", GPS.GPSLatitude: (10.0, 30.0, 0.0), GPS.GPSLongitude: (20.0, 0.0, 36.0)}
    )

    picture = inspected(saved(marked(), image_format, exif=exif))

    assert picture.metadata == {
        "description": "A lighthouse",
        "camera": "Acme One",
        "user_comment": "đèn biển",
        "gps": "-10.500000,20.010000",
    }
    assert b"lighthouse" not in picture.data


@given(block=st.binary(min_size=1, max_size=200))
@settings(max_examples=200, deadline=None)
def test_a_malformed_exif_block_does_not_refuse_the_picture(block: bytes) -> None:
    data = saved(marked(), "PNG")
    hostile = png_chunk(b"eXIf", b"II*\0\x08\0\0\0" + block)

    assert inspected(data[:33] + hostile + data[33:]).width in {48, 32}


def test_no_more_pictures_are_decoded_at_once_than_there_are_slots() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal running, most
        with decoding_slot(), decoding_slot():
            with lock:
                running += 1
                most = max(most, running)
            inspected(saved(photograph((40, 40)), "PNG"))
            with lock:
                running -= 1

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(64)))

    assert most <= (os.cpu_count() or 1)
