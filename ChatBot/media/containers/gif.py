"""GIF, block by block (GIF89a): frames, timing and the loop count stay, everything else is taken out."""

from __future__ import annotations

from ChatBot.media.containers.base import MAX_PARTS, Stripped, corrupt, too_many_parts, truncated

SIGNATURES = (b"GIF87a", b"GIF89a")

_FRAME, _EXTENSION, _END = 0x2C, 0x21, 0x3B
_TIMING, _COMMENT, _APPLICATION = 0xF9, 0xFE, 0xFF
_LOOPING = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def strip(data: bytes) -> Stripped:
    """Take a GIF apart, counting its frames without decoding them.

    Raises:
        PictureRefused: it ends too early, or does not consist of blocks.
    """
    return _Walk(data).run()


class _Walk:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0
        self.parts = 0
        self.kept: list[bytes] = []
        self.texts: list[tuple[str, str]] = []
        self.frames = 0
        self.extent = (0, 0)

    def run(self) -> Stripped:
        head = self.take(13)
        self.kept.append(head + self.take(_palette_bytes(head[10])))
        self.extent = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
        while (introducer := self.take(1)[0]) != _END:
            self.count()
            if introducer == _FRAME:
                self.frame()
            elif introducer == _EXTENSION:
                self.extension()
            else:
                raise corrupt("its parts do not follow each other")
        if not self.frames:
            raise corrupt("it holds no frame")
        self.kept.append(bytes([_END]))
        return Stripped(b"".join(self.kept), texts=tuple(self.texts), frames=self.frames, extent=self.extent)

    def take(self, count: int) -> bytes:
        taken = self.data[self.position : self.position + count]
        if len(taken) < count:
            raise truncated()
        self.position += count
        return taken

    def count(self) -> None:
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise too_many_parts()

    def blocks(self) -> tuple[bytes, bytes]:
        """Return a run of sub-blocks as stored, and the content of the first one."""
        start, first = self.position, b""
        while size := self.take(1)[0]:
            content = self.take(size)
            first = first or content
            self.count()
        return self.data[start : self.position], first

    def frame(self) -> None:
        head = self.take(9)
        left, top, width, height = (int.from_bytes(head[at : at + 2], "little") for at in (0, 2, 4, 6))
        self.extent = max(self.extent[0], left + width), max(self.extent[1], top + height)
        palette = self.take(_palette_bytes(head[8]))
        code_size = self.take(1)
        stored, _ = self.blocks()
        self.kept.append(bytes([_FRAME]) + head + palette + code_size + stored)
        self.frames += 1

    def extension(self) -> None:
        label = self.take(1)
        stored, first = self.blocks()
        if label[0] == _TIMING or (label[0] == _APPLICATION and first in _LOOPING):
            self.kept.append(bytes([_EXTENSION]) + label + stored)
        elif label[0] == _COMMENT:
            self.texts.append(("comment", _joined(stored).decode("utf-8", "replace")))


def _palette_bytes(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _joined(stored: bytes) -> bytes:
    content, position = bytearray(), 0
    while size := stored[position]:
        content += stored[position + 1 : position + 1 + size]
        position += 1 + size
    return bytes(content)
