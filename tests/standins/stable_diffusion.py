"""A stand-in for the Stable Diffusion WebUI: one job at a time, global progress, global interrupt."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import dataclass
from typing import Any, Literal

from tests.standins.server import Reply, Request, Service, json_reply

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
"""A PNG of one pixel; the generator hands bytes on without looking into them."""

Trouble = Literal[
    "", "hang", "reset", "html", "garbage", "no_images", "sampler", "validation", "memory", "no_api", "busy", "bad_info"
]


@dataclass
class Job:
    """One accepted call of txt2img."""

    task: str
    payload: dict[str, Any]
    interrupted: bool = False


class StableDiffusion(Service):
    """Answers ``/sdapi/v1``. ``released`` holds back every job while it is clear."""

    name = "stable_diffusion"

    def __init__(self) -> None:
        self.trouble: Trouble = ""
        self.password = ""
        """``user:password`` that HTTP Basic must bring, as after ``--api-auth``."""
        self.old = False
        """An older server: its progress does not say whose it is."""
        self.grid = False
        self.fraction = 0.5
        self.jobs: list[Job] = []
        self.interrupts = 0
        self.running: Job | None = None
        self.released = threading.Event()
        self.released.set()
        self.began = threading.Event()
        self.asked = threading.Semaphore(0)
        """Released once for every answered question for progress."""
        self._turn = threading.Lock()

    def handle(self, request: Request) -> Reply | None:
        """Answer one call."""
        if not request.path.startswith("/sdapi/v1/"):
            return None
        if self.trouble == "no_api":
            return json_reply({"detail": "Not Found"}, 404)
        if self.password and request.headers.get("authorization") != _basic(self.password):
            return json_reply({"detail": "Incorrect username or password"}, 401)
        return self._route(request)

    def start_foreign_job(self, task: str = "task(somebody-else)") -> Job:
        """Let somebody else's job occupy the server until ``end_foreign_job``."""
        self._turn.acquire()
        self.running = Job(task, {})
        return self.running

    def end_foreign_job(self) -> None:
        """Let the next job in the queue have its turn."""
        self.running = None
        self._turn.release()

    def state(self) -> dict[str, Any]:
        """Return the trouble and the counts."""
        return {"name": self.name, "trouble": self.trouble, "jobs": len(self.jobs), "interrupts": self.interrupts}

    def _route(self, request: Request) -> Reply:
        match request.path.removeprefix("/sdapi/v1/"):
            case "txt2img":
                return self._draw(request.json())
            case "progress":
                return json_reply(self._progress())
            case "interrupt":
                return self._interrupt()
        return json_reply({"detail": "Not Found"}, 404)

    def _draw(self, payload: dict[str, Any]) -> Reply:
        job = Job(payload.get("force_task_id", ""), payload)
        self.jobs.append(job)
        failure = _FAILURES.get(self.trouble)
        if failure is not None:
            return failure
        with self._turn:
            self.running = job
            self.began.set()
            self.released.wait(20)
            self.running = None
        return self._answer(job)

    def _answer(self, job: Job) -> Reply:
        count, seed = job.payload["n_iter"], job.payload["seed"]
        first = 12345 if seed == -1 else seed
        seeds = [first + number for number in range(count)]
        picture = "!!no base64!!" if self.trouble == "garbage" else base64.b64encode(PICTURE).decode()
        texts = [f"{job.payload['prompt']}\nSeed: {number}" for number in seeds]
        info = {"all_seeds": seeds, "seed": first, "infotexts": texts, "sd_model_name": "dreamer_v1"}
        images = [picture] * count
        if self.grid:
            images.insert(0, base64.b64encode(b"the contact sheet").decode())
            info |= {"index_of_first_image": 1, "infotexts": ["the sheet", *texts]}
        if self.trouble == "no_images":
            images = []
        text = "{broken" if self.trouble == "bad_info" else json.dumps(info)
        return json_reply({"images": images, "parameters": {}, "info": text})

    def _progress(self) -> dict[str, Any]:
        self.asked.release()
        running = self.running
        state: dict[str, Any] = {
            "progress": self.fraction if running else 0.0,
            "eta_relative": 2.5,
            "current_image": None,
            "state": {},
        }
        return state if self.old else {**state, "current_task": running.task if running else None}

    def _interrupt(self) -> Reply:
        self.interrupts += 1
        if self.running is not None:
            self.running.interrupted = True
        self.released.set()
        return json_reply({})


def _basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


_FAILURES: dict[str, Reply] = {
    "hang": Reply(manner="hang"),
    "reset": Reply(manner="reset"),
    "html": Reply(200, b"<html>a proxy's page</html>", "text/html"),
    "busy": Reply(503, b"<html>Bad gateway</html>", "text/html", {"Retry-After": "7"}),
    "sampler": json_reply({"detail": "Sampler not found"}, 404),
    "validation": json_reply(
        {"detail": [{"loc": ["body", "width"], "msg": "ensure this value is less than 2048", "type": "value"}]}, 422
    ),
    "memory": json_reply(
        {"error": "OutOfMemoryError", "detail": "", "body": "", "errors": "CUDA out of memory. Tried to allocate"}, 500
    ),
}
