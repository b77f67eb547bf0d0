"""Sweeps: what a grid means, and a table that survives interruption."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from fleetlab import Scenario, __version__, simulate
from fleetlab.cli import main
from fleetlab.figures import FIGURES
from fleetlab.scenario import ScenarioError
from fleetlab.statistics import estimate
from fleetlab.sweeps.summary import summarise
from fleetlab.sweeps.sweep import Grid, SweepTable, measure
from fleetlab.sweeps.workers import Failure
from fleetlab.workloads.table import TraceError

ROOT = Path(__file__).resolve().parents[2]
GRID = """scenario = "track=titan&jobs=150"
seeds = 2
[knobs]
load = [60, 90]
placement = ["best-fit", "random"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "grid.toml").write_text(GRID)
    return tmp_path


def sweep(folder: Path, *words: str) -> int:
    grid, out = str(folder / "grid.toml"), str(folder / "out.csv")
    return main(["sweep", grid, "-o", out, "--workers", "2", *words])


@pytest.fixture(scope="module")
def swept() -> str:
    """Return the whole table of the grid, made in this process."""
    grid = Grid.parse(GRID)
    table = SweepTable(Path("never-written.csv"), grid)
    for number, scenario in enumerate(grid.scenarios):
        table.done[number] = grid.row(number, measure(scenario))
    return "".join(table.lines())


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


# The grid


def test_a_grid_is_every_combination_the_first_knob_slowest_and_the_seed_fastest() -> None:
    grid = Grid.parse(GRID)
    assert [(s.load, s.placement, s.seed) for s in grid.scenarios] == [
        (load, placement, seed)
        for load in (60, 90)
        for placement in ("best-fit", "random")
        for seed in (1, 2)
    ]
    assert grid.knobs == ("load", "placement")
    assert {s.jobs for s in grid.scenarios} == {150}


def test_seeds_count_on_from_the_base_s_own_or_are_listed() -> None:
    counted = Grid.parse('scenario = "track=titan&seed=40"\nseeds = 3')
    assert [s.seed for s in counted.scenarios] == [40, 41, 42]
    listed = Grid.parse('scenario = "track=titan"\nseeds = [9, 4]')
    assert [s.seed for s in listed.scenarios] == [9, 4]
    assert len(Grid.parse('scenario = "track=titan&seed=8"').scenarios) == 1


def test_several_bases_are_told_apart_by_what_differs() -> None:
    grid = Grid.parse('scenario = ["track=titan", "track=nomad&load=50"]')
    assert {"track", "load", "workload"} <= set(grid.knobs)
    assert "part" not in grid.knobs


def test_no_figure_has_the_name_of_a_choice_so_that_columns_differ() -> None:
    assert not set(FIGURES) & {field.name for field in fields(Scenario)}
    grid = Grid.parse('scenario = "track=titan"\n[knobs]\njobs = [100, 200]')
    assert len(set(grid.columns)) == len(grid.columns)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("scenario = [", "grid: not readable as TOML"),
        ("scenery = 'x'", "grid: 'scenery' is no entry of a grid; give scenario, seeds, knobs"),
        ("scenario = 5", "grid, scenario: give a query text, or a list of them"),
        ("scenario = []", "grid: it names no Scenario"),
        ("scenario = 'track=vulcan'", "grid, scenario: track: 'vulcan' is not one of titan"),
        ("scenario = 'workload=trace'", "grid, scenario: a sweep draws its workload"),
        ("knobs = 5", "grid, knobs: give a list of values for each choice"),
        ("[knobs]\nlaod = [1]", "grid, knobs: 'laod' is no choice to vary"),
        ("[knobs]\nseed = [1]", "grid, knobs: 'seed' is no choice to vary; use seeds"),
        ("[knobs]\nload = 5", "grid, knobs: load needs a list of values"),
        ("[knobs]\nload = []", "grid, knobs: load needs a list of values"),
        ("[knobs]\nload = [5, 5]", "grid, knobs: load has a value twice"),
        ("[knobs]\nload = [500]", "grid: load: '500' is not a whole number from 0 to 150 (with"),
        ("[knobs]\nload = [nan]", "grid: load: 'nan' is not a whole number"),
        ("seeds = 0", "grid, seeds: give how many, or a list of different seeds"),
        ("seeds = true", "grid, seeds: give how many"),
        ("seeds = [1, 1]", "grid, seeds: give how many, or a list of different seeds"),
        ("seeds = ['a']", "grid: seed: 'a' is not a whole number"),
        ("seeds = 60000\n[knobs]\nload = [1, 2]", "grid: more than 100,000 Scenarios; split it"),
    ],
)
def test_an_impossible_grid_is_refused_in_one_sentence(text: str, complaint: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        Grid.parse(text)
    assert str(refused.value).startswith(complaint)


# The table


def test_a_sweep_writes_a_row_a_scenario_in_grid_order(folder: Path, swept: str) -> None:
    assert sweep(folder) == 0
    assert (folder / "out.csv").read_text() == swept
    rows = rows_of(folder / "out.csv")
    assert [row["row"] for row in rows] == [str(number) for number in range(8)]
    for row in rows:
        scenario = Scenario.parse(row["scenario"])
        run = simulate(scenario)
        assert (row["load"], row["placement"]) == (str(scenario.load), scenario.placement)
        assert (row["seed"], row["version"]) == (str(scenario.seed), __version__)
        assert row["digest"] == run.digest
        assert float(row["wait_mean_s"]) == run.metrics.waits.mean_s
        assert float(row["allocated"]) == run.metrics.allocated
        assert row["unstable"] == str(int(run.metrics.unstable))


def test_rows_that_are_there_are_not_run_again(
    folder: Path, swept: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # rows 5 and 1 in that order, and half of another, as an interruption leaves them
    lines = swept.splitlines(keepends=True)
    (folder / "out.csv").write_text(lines[0] + lines[6] + lines[2] + lines[4][:30])
    assert sweep(folder) == 0
    assert "going on after 2 rows of 8" in capsys.readouterr().err
    assert (folder / "out.csv").read_text() == swept


def test_a_row_is_kept_as_it_is_found_and_not_measured_anew(folder: Path) -> None:
    grid = Grid.parse(GRID)
    table = SweepTable(folder / "out.csv", grid)
    first = measure(grid.scenarios[0])
    table.append(0, first)
    table.append(3, measure(grid.scenarios[3]) | {"wait_mean_s": "12345"})
    table.close()
    assert sweep(folder) == 0
    assert rows_of(folder / "out.csv")[3]["wait_mean_s"] == "12345"


def test_each_row_is_on_the_disk_before_the_next(folder: Path) -> None:
    grid = Grid.parse(GRID)
    table = SweepTable(folder / "out.csv", grid)
    row = measure(grid.scenarios[2])
    for count, number in enumerate((2, 0, 1), 1):
        table.append(number, row)
        assert (folder / "out.csv").read_bytes().count(b"\n") == 1 + count
    assert [line.split(",")[0] for line in table.lines()] == ["row", "0", "1", "2"]
    table.close()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: "a,b\n1,2\n", "line 1: these are not the columns of this sweep"),
        (lambda text: text.replace("load=60", "load=61", 1), "line 2: row 0 is another Scenario"),
        (lambda text: text.replace(f",{__version__},", ",0.0.9,", 1), "made by fleetlab 0.0.9"),
        (lambda text: text + "x,y\n", "line 10: is no row of this sweep"),
        (lambda text: text.replace("\n0,", "\n99,", 1), "line 2: is no row of this sweep"),
        (lambda text: _forge_digest(text), "row 0 has another digest now"),
    ],
)
def test_a_file_of_another_sweep_is_refused_and_left_as_it_is(
    folder: Path,
    swept: str,
    change: Callable[[str], str],
    complaint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = folder / "out.csv"
    changed = change(swept)
    out.write_text(changed)
    assert sweep(folder) == 2
    shown = capsys.readouterr().err
    assert complaint in shown and shown.count("\n") == 1
    assert out.read_text() == changed


def test_fresh_starts_over_whatever_the_file_holds(folder: Path, swept: str) -> None:
    (folder / "out.csv").write_text("a,b\n1,2\n")
    assert sweep(folder, "--fresh") == 0
    assert (folder / "out.csv").read_text() == swept


def _forge_digest(text: str) -> str:
    digest = text.splitlines()[1].split(f",{__version__},")[1].split(",")[0]
    return text.replace(digest, "0" * 64, 1)


def test_resume_needs_a_file_and_outputs_must_be_writable(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep(folder, "--resume") == 2
    assert "--resume: there is no" in capsys.readouterr().err
    grid = str(folder / "grid.toml")
    assert main(["sweep", grid, "-o", str(folder / "none" / "out.csv")]) == 2
    assert "-o: there is no folder" in capsys.readouterr().err
    assert main(["sweep", grid, "-o", "/dev/null"]) == 2
    assert "is no plain file" in capsys.readouterr().err
    assert main(["sweep", grid, "-o", str(folder / "out.csv"), "--workers", "0"]) == 2
    assert "--workers: 0 is below 1" in capsys.readouterr().err


def test_a_scenario_without_figures_is_named_and_the_rest_is_kept(
    folder: Path, swept: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail_one(work: Callable[[Scenario], Any], tasks: list[Scenario], pool: Any) -> Any:
        for number, task in enumerate(tasks):
            failed = task.load == 60 and task.placement == "random" and task.seed == 2
            yield number, Failure("its worker died") if failed else work(task)

    with monkeypatch.context() as patched:
        patched.setattr("fleetlab.cli.sweep.spread", fail_one)
        assert sweep(folder) == 1
    shown = capsys.readouterr()
    assert "7 of 8 Scenarios" in shown.out
    assert shown.err.startswith("fleetlab sweep: row 3 (track=titan&part=1&load=60")
    assert shown.err.endswith("has no figures: its worker died\n")
    assert [row["row"] for row in rows_of(folder / "out.csv")] == list("0124567")
    assert sweep(folder) == 0
    assert (folder / "out.csv").read_text() == swept


def test_ctrl_c_keeps_whole_rows_and_the_same_command_goes_on(tmp_path: Path) -> None:
    (tmp_path / "grid.toml").write_text('scenario = "track=titan&jobs=4000"\nseeds = 60\n')
    out = tmp_path / "out.csv"
    command = [sys.executable, "-m", "fleetlab", "sweep", "grid.toml", "-o", "out.csv"]
    command += ["--workers", "2"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
        # whoever runs these tests in the background has them ignore it, and so would the sweep
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    while not (out.exists() and out.read_bytes().count(b"\n") > 3):
        assert process.poll() is None, "the sweep ended before it could be interrupted"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    # a terminal sends Ctrl-C to every process of the group, workers too
    os.killpg(process.pid, signal.SIGINT)
    _, complaint = process.communicate()
    assert process.returncode == 130, complaint
    kept = out.read_text().splitlines()[1:]
    assert 3 <= len(kept) < 60
    assert f"{len(kept)} of 60 rows are in out.csv; the same command goes on" in complaint
    assert complaint.splitlines()[-1] == "fleetlab sweep: interrupted"
    assert "Traceback" not in complaint

    again = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert f"going on after {len(kept)} rows of 60" in again.stderr
    lines = out.read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [str(number) for number in range(60)]
    assert set(kept) <= set(lines)
    last = rows_of(out)[59]
    assert last["digest"] == measure(Scenario.parse(last["scenario"]))["digest"]


def test_a_sweep_that_is_killed_leaves_its_rows_and_no_worker_behind(tmp_path: Path) -> None:
    (tmp_path / "grid.toml").write_text('scenario = "track=titan&jobs=4000"\nseeds = 200\n')
    out = tmp_path / "out.csv"
    process = subprocess.Popen(
        [sys.executable, "-m", "fleetlab", "sweep", "grid.toml", "-o", "out.csv", "--workers", "2"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE,
    )  # fmt: skip
    while not (out.exists() and out.read_bytes().count(b"\n") > 1):
        assert process.poll() is None, "the sweep ended before it could be killed"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    process.kill()
    # the workers hold the other end of this pipe for as long as they live
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert out.read_text().splitlines()[1].split(",")[1].startswith("track=titan")


# The summary


def test_a_summary_is_the_estimate_over_the_seeds_of_each_group(folder: Path, swept: str) -> None:
    out = folder / "out.csv"
    out.write_text(swept)
    knobs, groups = summarise(out.read_bytes(), figures=["allocated", "wait_mean_s"])
    assert knobs == ("load", "placement")
    assert [group.choices for group in groups] == [
        ("60", "best-fit"),
        ("60", "random"),
        ("90", "best-fit"),
        ("90", "random"),
    ]
    rows = rows_of(out)
    for number, group in enumerate(groups):
        values = [float(row["allocated"]) for row in rows[2 * number : 2 * number + 2]]
        assert group.estimates["allocated"] == estimate(values)
        assert group.seeds == 2


def test_the_summary_command_prints_a_table(
    folder: Path, swept: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "out.csv").write_text(swept)
    words = ["summary", str(folder / "out.csv"), "--figures", "allocated,unstable", "--range"]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].replace(" ", "") == "|load|placement|seeds|allocated|unstable|"
    assert len({len(line) for line in lines}) == 1
    assert "±" in lines[2] and "of 2" in lines[2]


def test_a_summary_of_something_else_is_refused(folder: Path) -> None:
    with pytest.raises(TraceError, match="sweep, line 1: no column scenario, seed"):
        summarise(b"a,b\n1,2\n")
    with pytest.raises(TraceError, match="figures: 'waits' is none; choose from counted,"):
        summarise(b"scenario,seed\nx,1\n", figures=["waits"])
    with pytest.raises(TraceError, match="line 3, column seed: '1' is there twice"):
        summarise(b"scenario,seed,allocated\nx,1,0.5\nx,1,0.5\n", figures=["allocated"])
    with pytest.raises(TraceError, match="line 2, column allocated: 'much' is not a figure"):
        summarise(b"scenario,seed,allocated\nx,1,much\n", figures=["allocated"])


# Replications on the command line


def test_run_on_several_seeds_prints_estimates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    query = "track=titan&jobs=150&seed=5"
    assert main(["run", query, "--seeds", "3", "--workers", "2", "--json", str(out)]) == 0
    record = json.loads(out.read_text())
    assert record["seeds"] == [5, 6, 7]
    values = [
        simulate(Scenario.parse(query).but(seed=seed)).metrics.allocated for seed in (5, 6, 7)
    ]
    assert record["figures"]["allocated"]["mean"] == pytest.approx(estimate(values).mean)
    assert "seeds          5 to 7" in capsys.readouterr().out


def test_run_against_another_meets_the_same_jobs_on_the_same_seeds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    query = "track=titan&jobs=150&seed=5"
    assert main(["run", query, "--seeds", "2", "--against", "track=titan&jobs=150&seed=9"]) == 0
    shown = capsys.readouterr().out
    # the same policy on the same jobs: every figure is the same, whatever seed was written
    assert shown.count(" same ") >= 10 and "differs" not in shown
    assert main(["run", query, "--against", "track=titan&jobs=100"]) == 0
    assert "draw different jobs" in capsys.readouterr().out


def test_run_says_how_many_runs_were_beyond_the_ceiling(
    capsys: pytest.CaptureFixture[str],
) -> None:
    query = "track=titan&jobs=4000&load=150&backfill=none"
    assert main(["run", query, "--seeds", "2"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("UNSTABLE: the load is beyond") and last.endswith("(2 of 2 runs)")


def test_run_refuses_questions_about_one_run_of_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "track=titan", "--seeds", "2", "--why", "1@1"]) == 2
    assert "are about one run" in capsys.readouterr().err
    assert main(["run", "track=titan", "--seeds", "0"]) == 2
    assert "--seeds: 0 is not a number of seeds from 1 to 10,000" in capsys.readouterr().err
    assert main(["run", "track=titan", "--seeds", "1000000000"]) == 2
    assert "--seeds: 1000000000 is not a number of seeds" in capsys.readouterr().err
    assert main(["run", f"track=titan&seed={2**31 - 1}", "--seeds", "2"]) == 2
    assert "--seeds: no seed is above 2147483647" in capsys.readouterr().err
