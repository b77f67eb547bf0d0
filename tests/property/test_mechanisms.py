"""What holds of every run with mechanisms, whatever meets it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetlab.conditions import Conditions
from fleetlab.engine import Engine, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from tests.attempts import check_attempts
from tests.strategies import busy_policies, fleets, gangs, hardships

EXAMPLES = settings(max_examples=150)


def _run(
    fleet: Fleet, jobs: JobTable, policy: Policy, conditions: Conditions, seed: int = 0
) -> Engine:
    engine = Engine(fleet, jobs, policy, np.random.default_rng(seed), conditions)
    for _ in engine.steps(1):
        assert engine.events_done < 5000, "it never ends"
    return engine


@given(st.data())
@EXAMPLES
def test_every_run_with_mechanisms_keeps_the_invariants_and_its_log_is_closed(data):
    fleet = data.draw(fleets())
    policy = data.draw(busy_policies(fleet))
    jobs = data.draw(gangs(fleet))
    check_attempts(_run(fleet, jobs, policy, data.draw(hardships(fleet))))
