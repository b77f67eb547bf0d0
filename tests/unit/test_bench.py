"""What the bench measures with: the peers' log, and the picture of the growth."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from tests.bench.engine import SIZES, with_requests
from tests.bench.growth import measure, picture, workload


def test_the_peers_log_asks_for_what_the_jobs_took(tmp_path) -> None:
    log = tmp_path / "log.swf"
    log.write_text("; MaxNodes: 4\n1 5 -1 60 2 -1 -1 -1 -1 -1 1 -1 -1 -1 0 -1 -1 -1\n\n")
    assert with_requests(log) == "1 5 -1 60 2 -1 -1 2 60 -1 1 -1 -1 -1 0 -1 -1 -1\n"


def test_a_size_is_measured_to_its_end_and_has_at_least_its_gpus() -> None:
    fleet, jobs = workload(1000, 300)
    assert fleet.gpus == 1024 and len(jobs) == 300
    found = measure(1000, 300)
    assert (found["gpus"], found["jobs"]) == (1024, 300)
    assert found["us_per_job"] > 0 and found["peak_mb"] >= 0


def test_the_largest_size_is_a_hundred_times_the_smallest() -> None:
    assert SIZES[0] == (1_000, 10_000) and SIZES[-1] == (100_000, 1_000_000)


def test_the_picture_says_in_its_title_what_it_shows_and_names_every_size() -> None:
    svg = picture([(1_024, 10_000, 20.0, 50), (100_032, 1_000_000, 30.0, 800)])
    root = ElementTree.fromstring(svg)
    texts = ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("text")]
    title = "1,000,000 jobs on 100,032 GPUs take 1.5 times as long a job as 10,000 on 1,024"
    assert next(node.text for node in root if node.tag.endswith("title")) == title
    assert {"10,000", "1,000,000", "1,024 GPUs", "100,032 GPUs", "20", "30"} <= set(texts)
