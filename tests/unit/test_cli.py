"""The command line: what each command prints and writes, and how it refuses."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fleetlab import Scenario, __version__, simulate
from fleetlab.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parents[2]
SMALL = "track=titan&jobs=300&seed=3"
CRISIS = "track=titan&workload=titan-crisis"
SWF = """; two processors
11 0 -1 10 2 -1 -1 2 10 -1 1 7
12 1 -1 5 2 -1 -1 2 5 -1 1 8
13 2 -1 -1 0 -1 -1 1 5 -1 5 8
14 2 -1 8 1 -1 -1 1 8 -1 1 7
"""
PHILLY = """timestamp,duration,num_gpus,gpu_time,cluster
2017-10-09 07:00:00,60,1,60,vc1
2017-10-09 07:00:10,60,2,120,vc2
2017-10-09 07:00:20,60,8,480,vc1
"""
NODES = "sn,cpu_milli,memory_mib,gpu,model\nn1,8000,100,2,V100\nn2,8000,100,2,T4\n"
PODS = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,100,1,1,500\nb,100,1,1,1000\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in (("a.swf", SWF), ("p.csv", PHILLY), ("nodes.csv", NODES), ("pods.csv", PODS)):
        (tmp_path / name).write_text(text)
    return tmp_path


def table(path: Path) -> list[list[str]]:
    with path.open(newline="") as stream:
        return list(csv.reader(stream))


# The program as a whole


def test_help_names_every_command_and_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name}" in shown for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_its_options(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert f"usage: fleetlab {name}" in capsys.readouterr().out


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"fleetlab {__version__}\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "fleetlab: no command is given; choose from replay, run,"),
        (["repaly"], "fleetlab: there is no command 'repaly'; choose from replay, run,"),
        (["run", "titan"], "fleetlab run: scenario: 'titan' names no choice; write track=titan"),
        (["run", "track=vulcan"], "fleetlab run: track: 'vulcan' is not one of titan,"),
        (["run", "track=titan&load=1e308"], "fleetlab run: load: '1e308' is not a whole number"),
        (["run", "track=titan&load=٣"], "fleetlab run: load: '٣' is not a whole number"),
        (["run", SMALL, "--why", "soon"], "fleetlab run: --why: 'soon' is no question; write JOB@"),
        (["run", SMALL, "--why", "300@1"], "fleetlab run: job: 300 is not one of the 300 jobs"),
        (["run", "missing.json"], "fleetlab run: missing.json: cannot be read"),
        (["run", SMALL, "--json", "/no/such/x"], "fleetlab run: --json: there is no folder /no"),
        (["why", SMALL, "1", "nan"], "fleetlab why: TIME: nan is no number of seconds"),
        (["diff", SMALL, SMALL + "&load=10"], "fleetlab diff: diff: the two runs are not of the"),
        (["replay", "missing.csv"], "fleetlab replay: missing.csv: cannot be read"),
        (["replay", "x", "--order", "lifo"], "fleetlab replay: --order: invalid choice: 'lifo'"),
        (["replay", "x", "--fleet", "8by8"], "fleetlab replay: --fleet: '8by8' is not a fleet;"),
        (["replay", "x", "--gpus", "0"], "fleetlab replay: --gpus: 0 is below 1; give 1 or"),
        (["replay", "x", "--seed", "-1"], "fleetlab replay: --seed: -1 is negative"),
        (["replay", "x", "--ageing-s", "-1"], "fleetlab replay: --ageing-s: -1 is negative"),
        (["replay", "x", "--steps-per-s", "A=b"], "fleetlab replay: --steps-per-s: 'A=b' is no"),
        (["replay", "x", "--preemption", "order"], "fleetlab replay: preemption: the order fifo"),
    ],
)
def test_bad_input_is_one_line_that_says_where_and_exit_2(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(complaint)
    assert shown.err.count("\n") == 1


def in_a_shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = command.replace("fleetlab ", f"{sys.executable} -m fleetlab ")
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_python_m_fleetlab_is_the_same_program(tmp_path: Path) -> None:
    done = in_a_shell("fleetlab --version", tmp_path)
    assert (done.returncode, done.stdout) == (0, f"fleetlab {__version__}\n")


def test_a_python_without_numpy_is_told_what_to_install(tmp_path: Path) -> None:
    script = "import sys; sys.modules['numpy'] = None; import fleetlab"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("install it: python3 -m pip install numpy")
    assert "During handling" not in done.stderr


def test_a_reader_that_goes_away_is_one_sentence(tmp_path: Path) -> None:
    # the pipe's other end is closed before anything is written
    script = (
        "import os, subprocess, sys; r, w = os.pipe(); os.close(r); "
        f"sys.exit(subprocess.run([sys.executable, '-m', 'fleetlab', 'run', '{SMALL}'], "
        "stdout=w).returncode)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr == "fleetlab run: nobody reads the output any more, so it was cut short\n"


# replay


def test_replay_writes_starts_in_order_of_the_trace_under_the_trace_s_own_numbers(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    starts = files / "starts.csv"
    words = ["replay", str(files / "a.swf"), "--gpus", "2", "--starts", str(starts)]
    assert main(words) == 0
    # 12 waits for 11, 14 for 12; 13 never ran in the log and is left out
    assert table(starts) == [
        ["job", "submit_s", "start_s", "end_s", "gpus"],
        ["11", "0", "0", "10", "2"],
        ["12", "1", "10", "15", "2"],
        ["14", "2", "15", "23", "1"],
    ]
    shown = capsys.readouterr().out
    assert "a.swf: 3 jobs (swf)" in shown and "1 line left out" in shown
    assert "1x1x2 (2 GPUs), order fifo, backfill easy, placement best-fit, seed 1" in shown


def test_replay_of_one_virtual_cluster_keeps_the_numbers_of_the_whole_trace(files: Path) -> None:
    starts = files / "starts.csv"
    words = ["replay", str(files / "p.csv"), "--vc", "vc1", "--starts", str(starts)]
    assert main(words) == 0
    assert [row[0] for row in table(starts)[1:]] == ["0", "2"]


def test_replay_says_who_there_is_when_an_owner_is_unknown(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(files / "p.csv"), "--vc", "vc9"]) == 2
    assert "nobody is named 'vc9'; choose from 'vc1', 'vc2'" in capsys.readouterr().err


def test_replay_refuses_a_fleet_that_cannot_hold_the_largest_gang(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(files / "p.csv"), "--gpus", "7"]) == 2
    assert "job 2 asks for 8 GPUs and 1x1x7 has 7" in capsys.readouterr().err


def test_replay_names_the_line_and_column_of_a_broken_trace(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "bad.csv").write_text("submit_s,duration_s,gpus\n0,1,1\n1,-5,1\n")
    assert main(["replay", str(files / "bad.csv")]) == 2
    assert capsys.readouterr().err.startswith("fleetlab replay: bad.csv, line 3, column duration_s")


def test_replay_writes_what_it_ran_and_its_figures_as_json(files: Path) -> None:
    out = files / "out.json"
    words = ["replay", str(files / "a.swf"), "--gpus", "2", "--order", "sjf", "--json", str(out)]
    assert main(words) == 0
    record = json.loads(out.read_text())
    assert record["policy"]["order"] == "sjf"
    assert record["trace"] == {"name": "a.swf", "format": "swf", "jobs": 3}
    # 11 runs 0-10, then 12 (5 s) before 14 (8 s): waits 0, 9 and 13
    assert record["figures"]["wait_mean_s"] == round(22 / 3, 3)


def test_replay_of_work_in_steps_takes_its_rate_from_the_option(files: Path) -> None:
    row = ["ResNet", "train", "-n", "1000", "0", "1"]
    (files / "gavel.tsv").write_text("\t".join(row) + "\n")
    starts = files / "starts.csv"
    words = ["replay", str(files / "gavel.tsv"), "--starts", str(starts)]
    assert main([*words, "--steps-per-s", "ResNet=10"]) == 0
    assert table(starts)[1] == ["0", "0", "0", "100", "1"]
    assert main(words) == 2


# run, why, diff


def test_run_prints_and_writes_the_figures_of_the_scenario(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, events = tmp_path / "out.json", tmp_path / "events.csv"
    assert main(["run", SMALL, "--json", str(out), "--events", str(events)]) == 0
    finished = simulate(Scenario.parse(SMALL))
    record = json.loads(out.read_text())
    assert record["digest"] == finished.digest
    assert record["figures"]["wait_mean_s"] == round(finished.metrics.waits.mean_s, 3)
    assert Scenario.parse(record["scenario"]) == Scenario.parse(SMALL)
    rows = table(events)
    assert rows[0] == ["time_ms", "kind", "job", "a", "b"]
    assert len(rows) == len(finished.log) + 1
    assert finished.digest in capsys.readouterr().out


def test_run_and_why_say_why_a_job_waits(capsys: pytest.CaptureFixture[str]) -> None:
    sentence = simulate(Scenario.parse(CRISIS)).why(200, 70)
    assert main(["run", CRISIS, "--why", "200@70"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == sentence
    assert main(["why", CRISIS, "200", "70"]) == 0
    assert capsys.readouterr().out == sentence + "\n"


@pytest.mark.parametrize("form", ["?" + SMALL, "https://lab.example/x/?" + SMALL + "#top", SMALL])
def test_an_address_names_the_scenario_that_its_query_does(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", form]) == 0
    assert simulate(Scenario.parse(SMALL)).digest in capsys.readouterr().out


def test_a_scenario_is_read_from_json_and_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = Scenario.parse(SMALL)
    (tmp_path / "s.json").write_text(json.dumps(scenario.to_json()))
    assert main(["run", str(tmp_path / "s.json")]) == 0
    assert simulate(scenario).digest in capsys.readouterr().out
    for text, complaint in (
        ("{", "not readable as JSON"),
        ('{"load": "x"}', "load is 'x', not a int"),
        ("[" * 100_000, "not readable as JSON"),
    ):
        (tmp_path / "s.json").write_text(text)
        assert main(["run", str(tmp_path / "s.json")]) == 2
        shown = capsys.readouterr().err
        assert shown.startswith("fleetlab run: s.json: ") and complaint in shown


def test_a_scenario_of_a_trace_runs_with_that_file_and_no_other(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = "track=titan&workload=trace"
    assert main(["run", query]) == 2
    assert "open that file first" in capsys.readouterr().err
    assert main(["run", query, "--trace", str(files / "p.csv")]) == 0
    other = f"{query}&trace={'0' * 16}"
    assert main(["run", other, "--trace", str(files / "p.csv")]) == 2
    assert "give that file" in capsys.readouterr().err
    assert main(["run", SMALL, "--trace", str(files / "p.csv")]) == 2
    assert "draws its workload; add workload=trace" in capsys.readouterr().err


def test_diff_says_where_two_policies_part(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", SMALL, SMALL + "&placement=random"]) == 0
    assert capsys.readouterr().out.startswith("The two part at ")
    assert main(["diff", SMALL, SMALL]) == 0
    assert capsys.readouterr().out.startswith("The two runs never part.")


# pack


def test_pack_prints_the_share_allocated_and_writes_it(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = files / "result.json"
    words = ["pack", str(files / "nodes.csv"), str(files / "pods.csv"), "--seeds", "2"]
    assert main([*words, "--json", str(result)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("fgd seed 0: ") and "% of GPU allocated" in lines[0]
    shares = [row["allocated"] for row in json.loads(result.read_text())]
    assert lines[2].startswith(f"fgd: {50 * sum(shares):.2f} % in the mean of 2 seeds")


def test_pack_refuses_a_demand_that_is_none(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["pack", str(files / "nodes.csv"), str(files / "pods.csv"), "--demand", "nan"]
    assert main(words) == 2
    assert capsys.readouterr().err == (
        "fleetlab pack: demand is nan, not above 0 and at most 100 times the capacity\n"
    )


# Files written


def test_a_file_is_written_whole_and_a_link_keeps_its_target(tmp_path: Path) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("old")
    link.symlink_to(target)
    assert main(["run", SMALL, "--json", str(link)]) == 0
    assert link.is_symlink()
    assert json.loads(target.read_text())["version"] == __version__
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.json", "target.json"]


def test_a_folder_is_no_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", SMALL, "--json", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"fleetlab run: --json: {tmp_path} is a folder; name a file\n"


def test_a_full_disk_is_one_sentence_that_names_the_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full, a disk that is always full")
    assert main(["run", SMALL, "--json", "/dev/full"]) == 2
    assert capsys.readouterr().err.startswith("fleetlab run: /dev/full: ")
