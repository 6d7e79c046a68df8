"""What becomes of answers whose process is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from ChatBot.container import Services
from ChatBot.generators.base import GenerationRequest
from ChatBot.models import Message, Provenance, User, now
from ChatBot.services.access import Viewer
from ChatBot.services.conversations.recovery import FORSAKEN_SECONDS
from ChatBot.services.conversations.running import LEASE_SECONDS

REQUEST = GenerationRequest(prompt="a red fox", width=128, height=128)


@pytest.fixture
def ann(services: Services) -> User:
    return services.accounts.create("ann", "correct horse battery")


def abandoned(services: Services, user: User, status: str, request: GenerationRequest | None = REQUEST) -> Message:
    """Return an answer as a process that was killed leaves it: its lease has run out."""
    kept = services.generation.check(request) if request else None
    _, answer = services.threads.ask(user, None, "/image a red fox" if request else "hello", request=kept)
    past = now() - timedelta(seconds=1)
    changes = {"status": status, "lease_owner": "f" * 32, "lease_until": past}
    services.database["messages"].update_one({"_id": answer.id}, {"$set": changes})
    return answer


def as_it_is(services: Services, answer: Message) -> Message:
    message = services.repositories.messages.get(answer.id)
    assert message is not None
    return message


def spooled(services: Services, answer: Message) -> bytes:
    """Put a delivered picture into the spool as ``draw`` does, and return its bytes."""
    picture = services.generators["demo"].generate(REQUEST)[0]
    provenance = Provenance(
        owner_id=answer.owner_id, generated=True, prompt="a red fox", generator="demo", seed=picture.seed
    )
    services.spool.put(answer.id, 0, provenance.model_dump(), picture.data)
    return picture.data


def test_a_queued_picture_is_drawn_after_all(services: Services, ann: User) -> None:
    answer = abandoned(services, ann, "queued")

    assert services.recovery.sweep() == 1

    finished = services.generation.finished(answer)
    assert finished.status == "complete"
    assert len(finished.images) == 1


def test_a_queued_chat_answer_is_answered_after_all(services: Services, ann: User) -> None:
    answer = abandoned(services, ann, "queued", request=None)

    services.recovery.sweep()

    assert services.generation.finished(answer).status == "complete"


def test_a_delivered_picture_is_kept_and_not_asked_for_again(services: Services, ann: User) -> None:
    answer = abandoned(services, ann, "streaming")
    spooled(services, answer)

    services.recovery.sweep()

    message = as_it_is(services, answer)
    assert (message.status, len(message.images)) == ("complete", 1)
    assert message.images[0].prompt == "a red fox"
    assert services.spool.waiting() == {}


def test_a_request_that_may_have_been_charged_is_not_repeated(services: Services, ann: User) -> None:
    answer = abandoned(services, ann, "streaming")

    services.recovery.sweep()

    message = as_it_is(services, answer)
    assert (message.status, message.images) == ("interrupted", ())
    assert message.error


def test_a_living_process_keeps_its_answers(services: Services, ann: User) -> None:
    answer = abandoned(services, ann, "streaming")
    future = now() + timedelta(seconds=30)
    services.database["messages"].update_one({"_id": answer.id}, {"$set": {"lease_until": future}})

    assert services.recovery.sweep() == 0

    assert as_it_is(services, answer).status == "streaming"


def own(services: Services, answer: Message, lease_seconds: float) -> Message:
    """Make an answer this process's own, with a lease that was renewed at some time."""
    changes = {"lease_owner": services.pools[0].owner, "lease_until": now() + timedelta(seconds=lease_seconds)}
    services.database["messages"].update_one({"_id": answer.id}, {"$set": changes})
    return answer


def test_an_own_answer_whose_end_could_not_be_written_is_finished_soon(services: Services, ann: User) -> None:
    answer = own(services, abandoned(services, ann, "streaming"), LEASE_SECONDS - 2 * FORSAKEN_SECONDS)
    spooled(services, answer)

    assert services.recovery.sweep() == 1

    message = as_it_is(services, answer)
    assert (message.status, len(message.images)) == ("complete", 1)


def test_an_own_answer_that_was_begun_just_now_is_left_alone(services: Services, ann: User) -> None:
    answer = own(services, abandoned(services, ann, "streaming"), LEASE_SECONDS)

    assert services.recovery.sweep() == 0

    assert as_it_is(services, answer).status == "streaming"


def test_an_own_answer_that_is_worked_on_is_left_alone(services: Services, ann: User) -> None:
    answer = own(services, abandoned(services, ann, "streaming"), 1)
    working = threading.Event()

    def work(_cancelled: Callable[[], bool]) -> None:
        working.wait(30)

    services.pools[0].submit(answer.id, work)

    taken = services.recovery.sweep()
    working.set()

    assert taken == 0
    assert as_it_is(services, answer).status == "streaming"


def test_a_server_that_is_alone_does_not_wait_for_leases(services: Services, ann: User) -> None:
    answer = abandoned(services, ann, "streaming")
    future = now() + timedelta(seconds=30)
    services.database["messages"].update_one({"_id": answer.id}, {"$set": {"lease_until": future}})

    services.recovery.sweep(lonely=True)

    assert as_it_is(services, answer).status == "interrupted"


def test_two_processes_take_an_answer_over_once(make_services: Callable[..., Services]) -> None:
    first, second = make_services(), make_services()
    ann = first.accounts.create("ann", "correct horse battery")
    answer = abandoned(first, ann, "queued")

    taken = first.recovery.sweep() + second.recovery.sweep()

    assert taken == 1
    assert len(first.generation.finished(answer).images) == 1


def test_a_retry_uses_what_the_failed_attempt_was_delivered(services: Services, ann: User) -> None:
    answer = abandoned(services, ann, "failed")
    spooled(services, answer)
    viewer = Viewer(ann)

    again = services.chat.regenerate(ann, str(answer.conversation_id), answer.id)

    finished = services.generation.finished(again)
    assert finished.images[0].seed is not None
    assert services.spool.waiting() == {}
    conversation = services.threads.get(viewer, str(answer.conversation_id))
    assert [each.id for each in services.threads.messages(viewer, conversation)][-1] == again.id


def test_what_nobody_wants_any_more_leaves_the_spool(services: Services, ann: User) -> None:
    for status in ("complete", "cancelled"):
        spooled(services, abandoned(services, ann, status))

    services.recovery.sweep()

    assert services.spool.waiting() == {}
