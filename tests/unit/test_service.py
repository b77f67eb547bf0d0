"""Part 3's services: the Guardian's loop, the Nomad's frames, the Pioneer's hearables."""

from __future__ import annotations

from itertools import pairwise

import pytest

from fleetlab.run import Run
from fleetlab.scenario import Scenario
from fleetlab.services.frames import fps, frames_of, needed_nodes, pixels
from fleetlab.services.hearing import (
    DEVICES,
    HEAVY,
    SLIM,
    can_run,
    hearing_of,
    latency_ms,
    power_mw,
)
from fleetlab.services.loop import DEADLINE_MS, fewest_nodes, loop_ms, loops_of
from fleetlab.services.outcome import outcome_figures, outcome_of
from fleetlab.services.service import day_ms, halts_ms, pieces
from fleetlab.simulate import simulate

DAY_S = 86_400
GUARDIAN, NOMAD, PIONEER = (
    Scenario.default(track, 3) for track in ("guardian", "nomad", "pioneer")
)


def ran(scenario: Scenario, **changes: int | str) -> Run:
    return simulate(scenario.but(**changes))


# The loop


def test_a_loop_takes_six_ms_and_needs_nine_of_sixteen_nodes() -> None:
    assert loop_ms(16, 16) == pytest.approx(6.0, abs=0.01)
    assert loop_ms(9, 16) < DEADLINE_MS < loop_ms(8, 16)
    assert fewest_nodes(16) == 9
    with pytest.raises(ValueError, match="nodes is 0"):
        loop_ms(0, 16)


def test_the_day_of_a_loop_has_no_gaps() -> None:
    for changes in ({}, {"elastic": 1}, {"elastic": 1, "notice": 120, "spot": 100}):
        run = ran(GUARDIAN, **changes)
        day = pieces(run)
        assert day[0].begin_ms == 0 and day[-1].end_ms == day_ms(run)
        assert all(a.end_ms == b.begin_ms for a, b in pairwise(day))


def test_a_static_loop_stands_still_until_the_node_is_back_and_reloaded() -> None:
    run = ran(GUARDIAN)
    # 10 minutes away and 2 to restart, longer when a second node goes meanwhile
    assert min(halts_ms(pieces(run))) == (10 + 2) * 60_000
    assert loops_of(run).late_share > 0.03


def test_rebuilding_without_notice_takes_the_tail_far_beyond_the_deadline() -> None:
    run = ran(GUARDIAN, elastic=1)
    loops = loops_of(run)
    assert set(halts_ms(pieces(run))) == {30_000}
    assert loops.p50_ms == pytest.approx(6.0, abs=0.01)
    assert loops.p999_ms > 1000 > DEADLINE_MS


def test_with_notice_as_long_as_the_rendezvous_the_loop_keeps_its_deadline() -> None:
    for notice in (30, 120):
        loops = loops_of(ran(GUARDIAN, elastic=1, notice=notice))
        assert (loops.halts, loops.late_share) == (0, 0)
        assert loops.p999_ms < DEADLINE_MS
    short = loops_of(ran(GUARDIAN, elastic=1, notice=20))
    assert short.halted_s == 10 * short.halts > 0


def test_notice_does_not_help_when_a_burst_takes_more_nodes_than_the_loop_can_spare() -> None:
    loops = loops_of(ran(GUARDIAN, elastic=1, notice=120, spot=100, reclaim="bursts"))
    assert loops.fewest_nodes < fewest_nodes(16)
    assert (loops.halts, loops.p999_ms > DEADLINE_MS) == (0, True)


def test_without_reclaims_every_loop_is_in_time() -> None:
    loops = loops_of(ran(GUARDIAN, spot=0))
    assert (loops.halts, loops.late_share, loops.fewest_nodes) == (0, 0, 16)
    assert loops.p999_ms == pytest.approx(6.0, abs=0.01)


# The frames


def test_half_the_nodes_at_load_80_are_37_fps_or_62_per_cent_of_the_pixels() -> None:
    needed = needed_nodes(NOMAD)
    assert needed == pytest.approx(38.4)
    assert fps(24, needed) == pytest.approx(37.5)
    assert pixels(24, needed) == pytest.approx(0.625)
    assert fps(40, needed) == 60 and pixels(40, needed) == 1


def test_a_pool_that_is_scaled_shows_fewer_pixels_where_a_static_one_shows_late_frames() -> None:
    static, scaled = (frames_of(ran(NOMAD, elastic=elastic, notice=30)) for elastic in (0, 1))
    assert static.late_share == scaled.small_share > 0
    assert (scaled.late_share, static.small_share) == (0, 0)
    assert scaled.lowest_fps == 60 > static.lowest_fps
    assert scaled.lowest_pixels == pytest.approx(static.lowest_fps / 60)


def test_a_twentieth_of_the_load_left_over_outlasts_single_reclaims() -> None:
    frames = frames_of(ran(NOMAD, reclaim="memoryless", notice=30))
    assert frames.reclaimed > 100 and frames.late_share == 0


def test_notice_saves_the_glasses_from_freezing_and_nothing_else() -> None:
    without, with_notice = frames_of(ran(NOMAD)), frames_of(ran(NOMAD, notice=30))
    # each of the reclaimed nodes carries one 48th of the glasses, for 5 s
    assert without.frozen_s == pytest.approx(without.reclaimed / 48 * 5)
    assert with_notice.frozen_s == 0
    assert with_notice.lowest_fps == without.lowest_fps


def test_frames_on_spot_cost_a_fifth_and_a_bit() -> None:
    frames = frames_of(ran(NOMAD))
    assert 0.4 < frames.effective_dollars < 0.44


# The hearables


def test_only_a_v3_runs_the_heavy_model_and_a_v2_the_slim_one() -> None:
    v1, v2, v3 = DEVICES
    assert [can_run(HEAVY, device) for device in DEVICES] == [False, False, True]
    assert [can_run(SLIM, device) for device in DEVICES] == [False, True, True]
    assert latency_ms(HEAVY, v1) == pytest.approx(15.5)  # beyond 10 ms, and beyond 1 mW
    assert power_mw(HEAVY, v2) == pytest.approx(2.325)  # in time, but beyond 1 mW
    assert power_mw(HEAVY, v3) == pytest.approx(0.465)


def test_models_without_a_device_are_silent_or_slim() -> None:
    static, elastic = (hearing_of(ran(PIONEER, elastic=elastic, notice=30)) for elastic in (0, 1))
    assert elastic.heavy_share == static.heavy_share < 0.95
    assert elastic.slim_share == pytest.approx(static.silent_share)
    assert elastic.silent_share == pytest.approx(0, abs=1e-12)
    assert pytest.approx(static.mean_mw) == 0.465 and static.mean_mw < elastic.mean_mw < 1


def test_spare_devices_do_what_slimming_does() -> None:
    assert hearing_of(ran(PIONEER, load=50)).silent_share < 0.005


def test_a_move_without_notice_is_heard() -> None:
    abrupt, told = hearing_of(ran(PIONEER)), hearing_of(ran(PIONEER, notice=30))
    models_s = 16 * DAY_S
    assert abrupt.silent_share - told.silent_share == pytest.approx(abrupt.moves * 5 / models_s)


# All of them


@pytest.mark.parametrize("track", ["titan", "guardian", "nomad", "pioneer"])
def test_a_run_of_part_3_has_figures_of_its_own_and_one_of_part_1_has_none(track: str) -> None:
    figures = outcome_figures(simulate(Scenario.default(track, 3)))
    assert ("cost_dollars" in figures) == (track != "pioneer")
    assert ("time_to_converge_s" in figures) == (track == "titan")
    small = Scenario.default(track, 1).but(jobs=50)
    assert outcome_of(simulate(small)) is None and outcome_figures(simulate(small)) == {}
    assert outcome_of(simulate(Scenario.default(track, 3).but(load=0))) is None
