"""The job table: its defaults, its views, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from fleetlab.job import BLOCK, FLEET, NODE, JobTable


def test_a_job_asks_for_whole_gpus_anywhere_and_estimates_truly_unless_it_says_otherwise() -> None:
    jobs = JobTable([0, 5], [10, 20], [1, 2])
    assert len(jobs) == 2
    assert jobs.estimate_ms.tolist() == [10, 20]
    assert jobs.gpu_milli.tolist() == [1000, 1000]
    assert jobs.span.tolist() == [FLEET, FLEET]
    assert jobs.whole_nodes.tolist() == [0, 0]


def test_a_missing_estimate_is_the_run_time_and_a_given_one_is_kept() -> None:
    jobs = JobTable([0, 0, 0], [10, 20, 30], [1, 1, 1], estimate_ms=[-1, 25, 0])
    assert jobs.estimate_ms.tolist() == [10, 25, 0]


def test_one_value_stands_for_every_job() -> None:
    assert JobTable([0, 1], 7, 4, span=NODE).duration_ms.tolist() == [7, 7]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"gpus": [1, 0]}, "gpus of job 1 is 0, below 1"),
        ({"duration_ms": [-3, 4]}, "duration_ms of job 0 is -3, below 0"),
        ({"submit_ms": [0, -1]}, "submit_ms of job 1 is -1, below 0"),
        ({"gpu_milli": [0, 1]}, "gpu_milli of job 0 is 0, below 1"),
        ({"gpu_milli": [1000, 1001]}, "gpu_milli of job 1 is 1001, above 1000"),
        ({"span": [1, 4]}, "span of job 1 is 4, above 3"),
        ({"whole_nodes": [2, 0]}, "whole_nodes of job 0 is 2, above 1"),
        ({"duration_ms": [1, 2, 3]}, "duration_ms has 3 entries for 2 jobs"),
        ({"estimate_ms": [1, 2, 3]}, "estimate_ms has 3 entries for 2 jobs"),
        ({"names": ("a",)}, "1 names for 2 jobs"),
        ({"gpus": [1, 2], "gpu_milli": 500}, "job 1 asks for 500 thousandths of a GPU and for mor"),
        ({"gpu_milli": 500, "whole_nodes": [0, 1]}, "so give it gpus 1 and whole_nodes 0"),
    ],
)
def test_an_impossible_job_is_named_with_its_column(columns: dict, says: str) -> None:
    good: dict = {"submit_ms": [0, 1], "duration_ms": [5, 5], "gpus": [1, 1]}
    with pytest.raises(ValueError, match=says):
        JobTable(**(good | columns))


def test_an_empty_table_is_no_error() -> None:
    assert len(JobTable([], [], [])) == 0


def test_jobs_are_called_by_their_names_or_their_numbers() -> None:
    assert JobTable([0], [1], [1]).name(0) == "0"
    assert JobTable([0], [1], [1], names=("train",)).name(0) == "train"


def test_jobs_can_be_picked_in_any_order_with_their_names() -> None:
    jobs = JobTable([0, 1, 2], [5, 6, 7], [1, 2, 3], names=("a", "b", "c"), kinds=("x", "y"))
    picked = jobs.select([2, 0])
    assert picked.gpus.tolist() == [3, 1]
    assert picked.names == ("c", "a")
    assert picked.kinds == ("x", "y")


def test_sorting_by_submission_keeps_the_order_of_equal_times() -> None:
    jobs = JobTable([5, 0, 5, 0], [1, 2, 3, 4], [1, 1, 1, 1], span=BLOCK)
    assert jobs.by_submit().duration_ms.tolist() == [2, 4, 1, 3]


def test_columns_are_whole_numbers_of_64_bits() -> None:
    jobs = JobTable(np.array([0.0]), [1 << 40], [1])
    assert jobs.submit_ms.dtype == np.int64
    assert jobs.duration_ms[0] == 1 << 40
