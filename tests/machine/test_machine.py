"""The promises hold whatever happens, in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.exploring import exploring
from tests.machine.machine import Promises

EXAMPLES = 20
STEPS = 25


@pytest.mark.timeout(1200)
def test_the_promises_hold_in_any_order_of_events(mongo_uri: str) -> None:
    machine = type("Machine", (Promises,), {"mongo_uri": mongo_uri})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES * 10 if exploring() else EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            phases=(Phase.explicit, Phase.generate),  # a step takes half a second: too slow to shrink
            suppress_health_check=list(HealthCheck),
        ),
    )
