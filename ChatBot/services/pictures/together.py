"""Questions that arrive while an answer is under way are asked together, by the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Set
from concurrent.futures import Future
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Together(Generic[Question, Answer]):
    """Asks for many threads at once, and never gives one an answer that is older than its question.

    Nothing is remembered: whoever asks while a read is under way waits for the next one, which begins later and answers
    everybody who waits by then. So the cost of a read is shared exactly when there is a crowd, and what was changed
    before a question, by whichever process, is in its answer.
    """

    def __init__(self, read: Callable[[Set[Question]], Mapping[Question, Answer]], *, reads_at_once: int = 2) -> None:
        """Take ``read``, which answers a set of questions; it leaves out those whose answer is nothing."""
        self._read = read
        self._may_read = threading.Semaphore(reads_at_once)
        self._lock = threading.Lock()
        self._waiting: set[Question] = set()
        self._answers: Future[Mapping[Question, Answer]] | None = None

    def ask(self, question: Question) -> Answer | None:
        """Return the answer, None when there is none; raises what the read raised, for everybody who shared it."""
        with self._lock:
            first = self._answers is None
            answers = self._answers = self._answers or Future()
            self._waiting.add(question)
        if first:
            self._lead(answers)
        return answers.result().get(question)

    def _lead(self, answers: Future[Mapping[Question, Answer]]) -> None:
        with self._may_read:
            with self._lock:  # from here on, newcomers belong to the next read
                questions, self._waiting, self._answers = self._waiting, set(), None
            try:
                answers.set_result(self._read(questions))
            except BaseException as error:  # raised again by each who waits, the reader among them
                answers.set_exception(error)
