"""An assistant without a model: it says so, explains what one can do here, and knows when a picture is wanted."""

from __future__ import annotations

import json
import re
import secrets
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Self

from ChatBot.assistants.base import Assistant, Finished, Piece, TextDelta, ToolCall, Turn
from ChatBot.assistants.commands import MAX_PROMPT_CHARACTERS
from ChatBot.assistants.tools import GENERATE_IMAGE
from ChatBot.cancelling import CancelCheck
from ChatBot.config import Settings
from ChatBot.errors import Cancelled

WORD_PAUSE_SECONDS = 0.015
"""Slow enough to see the words arrive, fast enough not to wait for them."""

_POLITE = (
    r"(?:(?:please|hey|hi|hello|ok|now)[\s,!.]+)*"
    r"(?:(?:can|could|would|will) you\s+(?:please\s+)?|i(?: would|'d)? (?:want|like) you to\s+)?"
)
_SUBJECT = r"(?:(?:for )?(?:me|us)\s+)?"
_PICTURE = r"(?:picture|image|photo|photograph|drawing|painting|sketch|illustration|portrait)s?"
_ENGLISH = re.compile(
    rf"{_POLITE}(?:(?:draw|paint|sketch|illustrate)\s+{_SUBJECT}(?:an? {_PICTURE} (?:of|with)\s+)?"
    rf"|(?:make|create|generate|render|show|give)\s+{_SUBJECT}(?:(?:an?|the|some|one)\s+)?(?:\w+\s+)?{_PICTURE}\s+"
    rf"(?:of|with|showing|that shows)\s+)(?P<prompt>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_VIETNAMESE = re.compile(
    r"(?:(?:hãy|làm ơn|xin|bạn có thể|bạn|hãy giúp|giúp)\s+)*"
    r"(?:vẽ|(?:tạo|làm|sinh)(?=.{0,20}(?:tranh|ảnh|hình)))\s+(?:(?:giúp|cho)\s+(?:tôi|mình|tớ|em|anh|chị)\s+)?"
    r"(?:(?:một\s+)?(?:bức\s+|tấm\s+)?(?:tranh|ảnh|hình ảnh|hình)\s+(?:về\s+|của\s+)?)?(?P<prompt>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_VIETNAMESE_LETTERS = re.compile(r"[ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉĩịọỏốồổỗộớờởỡợụủũứừửữựỳỵỷỹ]", re.IGNORECASE)

_TEXTS = {
    "en": {
        "help": (
            "I am a demo assistant: no chat model is connected, so I cannot really talk about this. What works "
            "already:\n\n"
            "- Type `/image a lighthouse at dusk`, or just *draw a lighthouse at dusk*, and a picture appears.\n"
            '- Add `--seed 7`, `--size 768x512`, `--count 2` or `--no "text"` to steer it.\n'
            "- To talk to a real model, set `CHAT_MODEL` and `OPENAI_BASE_URL` or `OPENAI_API_KEY` in `.env` and "
            "restart; Ollama, llama.cpp, OpenAI and others work."
        ),
        "drawing": "I am a demo assistant without a chat model, but drawing I can ask for. One moment.",
        "done": "This demo assistant has no more to say about it: here is your picture. Change the words or the seed "
        "for another one.",
        "failed": "I am a demo assistant and cannot mend it: the picture was not made. {reason}",
        "cannot_draw": "I am a demo assistant, and here I cannot draw by myself. Type `/image {prompt}` instead.",
    },
    "vi": {
        "help": (
            "Tôi là trợ lý bản demo: chưa có mô hình trò chuyện nào được kết nối nên tôi chưa thể trả lời thật. "
            "Những gì đã dùng được:\n\n"
            "- Gõ `/image a lighthouse at dusk`, hoặc chỉ cần viết *vẽ một ngọn hải đăng lúc hoàng hôn*.\n"
            '- Thêm `--seed 7`, `--size 768x512`, `--count 2` hoặc `--no "text"` để điều chỉnh.\n'
            "- Để trò chuyện với mô hình thật, đặt `CHAT_MODEL` cùng `OPENAI_BASE_URL` hoặc `OPENAI_API_KEY` trong "
            "`.env` rồi khởi động lại."
        ),
        "drawing": "Tôi là trợ lý bản demo, chưa có mô hình trò chuyện, nhưng vẽ thì được. Xin chờ một chút.",
        "done": "Trợ lý bản demo không có gì để nói thêm: tranh của bạn đây. Hãy đổi lời tả hoặc seed để có bức khác.",
        "failed": "Tôi là trợ lý bản demo và không sửa được lỗi này: bức tranh chưa được vẽ. {reason}",
        "cannot_draw": "Tôi là trợ lý bản demo và ở đây không tự yêu cầu vẽ được. Hãy gõ `/image {prompt}`.",
    },
}


class DemoAssistant(Assistant):
    """The offline assistant: streams fixed words, and calls ``generate_image`` when asked to draw.

    ``pause_seconds`` lies between two words; ``sleep`` is what waits.
    """

    name = "demo"

    def __init__(
        self, *, pause_seconds: float = WORD_PAUSE_SECONDS, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._pause_seconds = pause_seconds
        self._sleep = sleep

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:  # noqa: ARG003 - every entry is built the same way
        """Build it; it needs no setting."""
        return cls()

    def _check(self) -> None:
        """Nothing outside is needed."""

    def _stream(self, turns: Sequence[Turn], may_draw: bool, cancelled: CancelCheck) -> Iterator[Piece]:
        for piece in self._answer(turns, may_draw):
            if cancelled():
                raise Cancelled("Stopped on request.")
            yield piece

    def _answer(self, turns: Sequence[Turn], may_draw: bool) -> Iterator[Piece]:
        asked = next((turn.content for turn in reversed(turns) if turn.role == "user"), "")
        texts = _TEXTS["vi" if _VIETNAMESE_LETTERS.search(unicodedata.normalize("NFC", asked)) else "en"]
        prompt = wanted_picture(asked)
        if turns and turns[-1].role == "tool":
            yield from self._say(_about_result(turns[-1].content, texts))
        elif prompt is None:
            yield from self._say(texts["help"])
        elif not may_draw:
            yield from self._say(texts["cannot_draw"].replace("{prompt}", prompt))
        else:
            yield from self._say(texts["drawing"])
            yield ToolCall(id=f"call_{secrets.token_hex(12)}", name=GENERATE_IMAGE, arguments={"prompt": prompt})
            yield Finished("tool_calls")
            return
        yield Finished("stop")

    def _say(self, text: str) -> Iterator[Piece]:
        for word in re.findall(r"\s*\S+", text):
            yield TextDelta(word)
            if self._pause_seconds:
                self._sleep(self._pause_seconds)


def wanted_picture(text: str) -> str | None:
    """Return what a sentence like "draw a red fox" or "vẽ một con cáo" wants drawn; None when it wants no picture."""
    sentence = unicodedata.normalize("NFC", text).strip()
    match = _ENGLISH.fullmatch(sentence) or _VIETNAMESE.fullmatch(sentence)
    if match is None:
        return None
    return match["prompt"].strip().rstrip("?.! ")[:MAX_PROMPT_CHARACTERS] or None


def _about_result(content: str, texts: dict[str, str]) -> str:
    try:
        result = json.loads(content)
    except (ValueError, RecursionError):
        result = None
    if isinstance(result, dict) and result.get("status") == "ok":
        return texts["done"]
    reason = result.get("error", "") if isinstance(result, dict) else content
    return texts["failed"].replace("{reason}", str(reason)[:400]).rstrip()
