"""What prose says without a number is measured too: which way a choice turns things on a track."""

from __future__ import annotations

from statistics import mean

from fleetlab.prose.runs import runs_of
from fleetlab.scenario import Scenario
from fleetlab.services.nearness import Service, service_of


def services(track: str, **choices: str | int) -> list[Service]:
    """Return the track's service in Part 2, as it opens with other choices, on a few seeds."""
    found = [service_of(run) for run in runs_of(Scenario.default(track, 2).but(**choices))]
    return [service for service in found if service is not None]


def value(track: str, **choices: str | int) -> float:
    return mean(service.value for service in services(track, **choices))


def test_fifteen_minutes_of_patience_remove_most_of_pioneer_s_drops_and_strictness_all() -> None:
    loose = value("pioneer")
    assert value("pioneer", patience=15) < loose / 2
    assert value("pioneer", patience=-1) == 0


def test_where_pioneer_s_placement_is_random_nearly_all_that_needs_a_v3_is_dropped() -> None:
    assert mean(service.dropped for service in services("pioneer", placement="random")) > 0.95


def test_guardian_s_tail_jumps_from_one_tier_to_the_next_and_does_not_creep() -> None:
    """Prose: the p99.9 is a tier's time, however few of the loops lie there."""
    for patience in (0, 60, -1):
        for service in services("guardian", patience=patience):
            assert min(abs(service.value - tier) for tier in service.by_tier) < 0.01


def test_more_tokens_leave_titan_s_fleet_and_more_frames_nomad_s_where_placement_is_strict() -> (
    None
):
    for track in ("titan", "nomad"):
        assert value(track, patience=-1) > value(track)
