"""The page of queueing: formulas, measurements by the engine, and what they say of a fleet."""

import numpy as np
import pytest

from fleetlab.engine.event_loop import Engine
from fleetlab.fleet import Fleet
from fleetlab.job import BLOCK
from fleetlab.peek import FieldError
from fleetlab.peek.queueing import SEEDS, Queue, Queueing, queue_view, ratio, waits
from fleetlab.policy.settings import Policy
from fleetlab.statistics import estimate
from fleetlab.theory.queueing import mean_wait_mmc
from fleetlab.workloads.workload import Kind, generate


def measured(queue: Queue, seed: int, jobs: int) -> float:
    *_, wait = waits(queue, seed, jobs)
    assert wait is not None
    return wait


def test_one_server_at_80_per_cent_waits_4_services_for_c_1_and_20_for_c_3():
    assert Queue(80, 10, 1).formula == pytest.approx(4)
    assert Queue(80, 30, 1).formula == pytest.approx(20)
    assert Queue(80, 30, 1).exact


def test_many_servers_follow_erlang_c_exactly_only_for_exponential_jobs():
    assert Queue(80, 10, 8).formula == pytest.approx(mean_wait_mmc(8, 6.4))
    assert Queue(80, 10, 8).exact and not Queue(80, 30, 8).exact


def test_the_engine_agrees_with_the_formula_within_its_interval():
    found = estimate([measured(Queue(50, 10, 1), seed, 3000) for seed in range(8)])
    assert found.low <= Queue(50, 10, 1).formula == 1 <= found.high


def test_512_gpus_are_8_servers_to_jobs_of_a_whole_block():
    rng = np.random.Generator(np.random.PCG64(3))
    fleet = Fleet(8, 8, 8)
    jobs = generate([Kind("job", 1.0, 64, 1000.0, 1.0, span=BLOCK)], fleet, 0.8, 400, rng)
    engine = Engine(fleet, jobs, Policy(), rng).run()
    waited = (np.asarray(engine.start_ms) - jobs.submit_ms)[80:].mean() / 1e6
    assert waited == pytest.approx(measured(Queue(80, 10, 8), 3, 400))


def test_the_20_times_is_said_to_be_a_single_servers():
    view = queue_view(Queue(80, 30, 1), {})
    assert view["fleet"].startswith("The 20× is a single server’s.")
    assert "512 GPUs with jobs of 1 GPU waits under 0.001" in view["fleet"]
    assert view["table"][1][:4] == ["1", "512 GPUs", "80.0 %", "20"]
    assert view["title"] == ("One server at 80 % load, C = 3: a wait of 20 services by the formula")


def test_a_measurement_says_how_many_runs_and_whether_the_formula_lies_inside():
    queue = Queue(80, 10, 1)
    some = queue_view(queue, {queue: [3.0, 5.0]})
    assert some["measured"].startswith("The engine, 2 of 20 runs of 5,000 jobs: 4 ± ")
    assert "inside" not in some["measured"]
    inside = queue_view(queue, {queue: [3.9, 4.1] * 10})
    assert inside["measured"].endswith("The formula lies inside.")
    outside = queue_view(queue, {queue: [2.9, 3.1] * 10})
    assert "The formula lies outside" in outside["measured"]


def test_what_was_measured_is_not_measured_again(monkeypatch):
    monkeypatch.setattr("fleetlab.peek.queueing.JOBS", 50)
    monkeypatch.setattr("fleetlab.peek.queueing.waits", lambda queue, seed: iter([1.0]))
    page = Queueing()
    question = {"load": "80", "cv": "10", "servers": "1"}
    first = [view for view in page.answer(question) if view]
    # The formulas at once, then a view for each run of one server and of 512.
    assert len(first) == 1 + 2 * SEEDS
    assert len([view for view in page.answer(question) if view]) == 1


def test_waits_too_short_to_matter_are_not_given_digits():
    assert [ratio(wait) for wait in (0, 2e-9, 0.0219, 0.286, 4.0, 20.0, 147.4)] == [
        "0", "under 0.001", "0.022", "0.29", "4", "20", "147",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field"),
    [({"load": "95"}, "load"), ({"cv": "x"}, "cv"), ({"servers": "3"}, "servers")],
)
def test_what_cannot_be_queued_is_one_sentence_at_its_field(change, field):
    with pytest.raises(FieldError) as caught:
        next(Queueing().answer({"load": "80", "cv": "10", "servers": "1"} | change))
    assert caught.value.field == field
