"""The Stable Diffusion WebUI (AUTOMATIC1111, Forge) over its HTTP API; the server must run with ``--api``."""

from __future__ import annotations

import base64
import binascii
import json
import queue
import threading
import time
from typing import Any, Self
from urllib.parse import unquote, urlsplit, urlunsplit

import structlog

from ChatBot.cancelling import CancelCheck
from ChatBot.config import Settings
from ChatBot.errors import Cancelled, ProviderError, ProviderUnavailable, SettingsError
from ChatBot.generators.base import (
    GeneratedPicture,
    GenerationRequest,
    Generator,
    Progress,
    ProgressCallback,
)
from ChatBot.generators.webui_http import WebUI
from ChatBot.models import new_id
from ChatBot.outbound import Gate
from ChatBot.sentence import Sentence

log = structlog.get_logger(__name__)

NAME = "stable_diffusion"
SIDE_STEP_PIXELS = 8
"""The model works on blocks of 8 x 8 pixels; other sizes are cut down by the server without a word."""
PROGRESS_DEADLINE_SECONDS = 5.0
SHORT_POLL_SECONDS = 0.5


class StableDiffusionGenerator(Generator):
    """Draws on a WebUI server, which does one job at a time for everybody who uses it.

    ``timeout_seconds`` bounds the whole call, waiting behind other people's jobs included. ``poll_seconds`` lies
    between two questions for progress; ``steps`` are sampling steps. Without a ``gate``, one is made that lets
    ``base_url`` through: the operator chose it, so it may be a private address.
    """

    name = NAME

    def __init__(
        self,
        base_url: str,
        *,
        gate: Gate | None = None,
        user: str | None = None,
        password: str | None = None,
        steps: int = 20,
        timeout_seconds: float = 600.0,
        poll_seconds: float = SHORT_POLL_SECONDS,
    ) -> None:
        credentials = (user, password or "") if user else None
        gate = gate or Gate().trusting(base_url)
        self._webui = WebUI(base_url, gate=gate, credentials=credentials, provider=self.name)
        self._steps = steps
        self._timeout_seconds = timeout_seconds
        self._poll_seconds = poll_seconds

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Build it from ``SD_WEBUI_URL``, which may carry ``user:password@`` for ``--api-auth``.

        Raises:
            SettingsError: the setting is no http(s) address.
        """
        try:
            parts = urlsplit(settings.sd_webui_url or "")
            netloc = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
            netloc += f":{parts.port}" if parts.port else ""
        except ValueError as error:
            raise SettingsError(f"SD_WEBUI_URL is no web address ({error}); set e.g. http://127.0.0.1:7860") from error
        if parts.scheme not in {"http", "https"} or not netloc:
            raise SettingsError("SD_WEBUI_URL must look like http://127.0.0.1:7860")
        base_url = urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))
        return cls(base_url, user=_decoded(parts.username), password=_decoded(parts.password))

    def _check(self) -> None:
        self._webui.progress(PROGRESS_DEADLINE_SECONDS)

    def _generate(
        self, request: GenerationRequest, on_progress: ProgressCallback, cancelled: CancelCheck
    ) -> list[GeneratedPicture]:
        if cancelled():
            raise Cancelled("The picture was cancelled before it was begun.")
        job = _Job(self._webui, _payload(request, self._steps), time.monotonic() + self._timeout_seconds)
        job.start()
        try:
            answer = self._wait(job, on_progress, cancelled)
        except BaseException:
            job.abandon()
            raise
        pictures = _read_pictures(answer, request.count)
        on_progress(Progress("generating", 1.0, 0.0))
        return pictures

    def _wait(self, job: _Job, on_progress: ProgressCallback, cancelled: CancelCheck) -> dict[str, Any]:
        furthest = 0.0
        while True:
            answer = job.answer_within(self._poll_seconds)
            if cancelled():
                raise Cancelled("The picture was cancelled.")
            if answer is not None:
                return answer
            progress = job.progress()
            if progress is None:
                continue
            # Several pictures of one job, or a second pass, can make the server count backwards.
            furthest = max(furthest, progress.fraction or 0.0)
            known = progress.fraction is not None
            on_progress(Progress(progress.stage, furthest if known else None, progress.eta_seconds))


class _Job:
    """One blocking ``txt2img`` call in its own thread, and what can be asked about it meanwhile."""

    def __init__(self, webui: WebUI, payload: dict[str, Any], ends_at: float) -> None:
        self._webui = webui
        self._task = f"task({new_id()})"
        self._payload = {**payload, "force_task_id": self._task}
        self._ends_at = ends_at
        self._outcome: queue.SimpleQueue[dict[str, Any] | ProviderError] = queue.SimpleQueue()
        self._ended = threading.Event()
        # A daemon: the program must be able to end while a server still draws.
        self._thread = threading.Thread(target=self._run, name="stable-diffusion-job", daemon=True)

    def start(self) -> None:
        """Hand the job to the server."""
        self._thread.start()

    def answer_within(self, seconds: float) -> dict[str, Any] | None:
        """Return the server's answer, None when it is not there yet, or raise what came instead."""
        remaining = self._ends_at - time.monotonic()
        try:
            outcome = self._outcome.get(timeout=max(0.0, min(seconds, remaining)))
        except queue.Empty:
            if remaining <= 0:
                raise self._too_late() from None
            return None
        if isinstance(outcome, ProviderError):
            raise outcome
        return outcome

    def progress(self) -> Progress | None:
        """Return how far this job is, or None when the server does not say; a failed question fails no job."""
        try:
            state = self._webui.progress(PROGRESS_DEADLINE_SECONDS)
        except ProviderError as error:
            log.debug("generator.progress.failed", generator=NAME, error=str(error))
            return None
        if "current_task" not in state:
            # Older servers do not say whose progress it is, so it cannot be told as ours.
            return Progress("generating")
        if state["current_task"] != self._task:
            return Progress("queued")
        return Progress("generating", _fraction(state.get("progress")), _seconds(state.get("eta_relative")))

    def abandon(self) -> None:
        """Let nobody wait for the answer, and stop the server's work once it is this job that it works on."""
        if not self._ended.is_set():
            threading.Thread(target=self._interrupt, name="stable-diffusion-interrupt", daemon=True).start()

    def _run(self) -> None:
        try:
            self._outcome.put(self._webui.txt2img(self._payload, self._ends_at - time.monotonic()))
        except ProviderError as error:
            self._outcome.put(error)
        finally:
            self._ended.set()

    def _interrupt(self) -> None:
        # /interrupt stops whoever runs: it is sent only while the running task is this one.
        while not self._ended.is_set() and time.monotonic() < self._ends_at:
            try:
                if self._webui.progress(PROGRESS_DEADLINE_SECONDS).get("current_task") == self._task:
                    self._webui.interrupt(PROGRESS_DEADLINE_SECONDS)
            except ProviderError as error:
                log.debug("generator.interrupt.failed", generator=NAME, error=str(error))
            self._ended.wait(SHORT_POLL_SECONDS)

    def _too_late(self) -> ProviderUnavailable:
        return ProviderUnavailable(Sentence("The Stable Diffusion server did not finish in time."), provider=NAME)


def _payload(request: GenerationRequest, steps: int) -> dict[str, Any]:
    return {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "width": _side(request.width),
        "height": _side(request.height),
        "seed": -1 if request.seed is None else request.seed,
        "steps": steps,
        # One after the other: a batch would need the graphics memory of all pictures at once.
        "batch_size": 1,
        "n_iter": request.count,
        "send_images": True,
        "save_images": False,
    }


def _side(pixels: int) -> int:
    return max(SIDE_STEP_PIXELS, pixels // SIDE_STEP_PIXELS * SIDE_STEP_PIXELS)


def _read_pictures(answer: dict[str, Any], count: int) -> list[GeneratedPicture]:
    info = _read_info(answer.get("info"))
    images = answer.get("images")
    # A contact sheet may come first and extensions put their own pictures last; the asked ones lie between.
    first = info.get("index_of_first_image")
    first = first if isinstance(first, int) and first > 0 else 0
    wanted = images[first : first + count] if isinstance(images, list) else []
    if not wanted:
        raise ProviderUnavailable(Sentence("The Stable Diffusion server answered without a picture."), provider=NAME)
    return [_read_picture(text, info, position, first) for position, text in enumerate(wanted)]


def _read_picture(text: object, info: dict[str, Any], position: int, first: int) -> GeneratedPicture:
    seed = _nth(info.get("all_seeds"), position)
    parameters = _nth(info.get("infotexts"), position + first)
    model = info.get("sd_model_name")
    return GeneratedPicture(
        data=_decode(text),
        seed=seed if isinstance(seed, int) else None,
        model=model if isinstance(model, str) else None,
        metadata={"parameters": parameters} if isinstance(parameters, str) else {},
    )


def _decode(text: object) -> bytes:
    if isinstance(text, str):
        try:
            data = base64.b64decode(text.rpartition(",")[2], validate=True)
        except (binascii.Error, ValueError) as error:
            raise ProviderUnavailable(
                Sentence("The Stable Diffusion server sent a picture that is no base64."), provider=NAME
            ) from error
        if data:
            return data
    raise ProviderUnavailable(Sentence("The Stable Diffusion server sent an empty picture."), provider=NAME)


def _read_info(text: object) -> dict[str, Any]:
    # Only decoration hangs on it, so what cannot be read costs the seed, not the picture.
    try:
        info = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return {}
    return info if isinstance(info, dict) else {}


def _nth(values: object, position: int) -> object:
    return values[position] if isinstance(values, list) and position < len(values) else None


def _fraction(value: object) -> float | None:
    return min(1.0, max(0.0, float(value))) if isinstance(value, int | float) else None


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _decoded(text: str | None) -> str | None:
    return None if text is None else unquote(text)
