"""Traces: what is written is read, and no bytes do more than raise one sentence."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleetlab.workloads.traces import FORMATS, TraceError, csv_cell, load_trace, read_trace

NAMES = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\r\n\x1c\x1d\x1e\x85"),
    max_size=20,
).map(str.strip)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 10**6), st.integers(0, 10**9),
        NAMES,
    ),
    min_size=1,
    max_size=30,
)  # fmt: skip


@given(ROWS)
@settings(max_examples=100, deadline=None)
def test_a_csv_of_milliseconds_is_read_back_to_the_millisecond(
    rows: list[tuple[int, int, int, int, str]],
) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["submit_s", "duration_s", "gpus", "estimate_s", "tenant"])
    for submit, duration, gpus, estimate, tenant in rows:
        writer.writerow([f"{submit / 1000}", f"{duration / 1000}", gpus, estimate / 1000, tenant])
    trace = load_trace(text.getvalue().encode())
    assert trace.jobs.submit_ms.tolist() == [row[0] for row in rows]
    assert trace.jobs.duration_ms.tolist() == [row[1] for row in rows]
    assert trace.jobs.gpus.tolist() == [row[2] for row in rows]
    assert trace.jobs.estimate_ms.tolist() == [row[3] for row in rows]
    assert [trace.tenants[owner] for owner in trace.jobs.tenant] == [row[4] for row in rows]


@given(ROWS)
@settings(max_examples=60, deadline=None)
def test_swf_of_whole_seconds_is_read_back(rows: list[tuple[int, int, int, int, str]]) -> None:
    lines = ["; a comment"]
    for number, (submit, run, size, _, _) in enumerate(rows, 1):
        lines.append(f"{number} {submit} -1 {run} {size}" + " -1" * 13)
    jobs = read_trace("\n".join(lines).encode(), format="swf")
    assert (jobs.submit_ms // 1000).tolist() == [row[0] for row in rows]
    assert (jobs.duration_ms // 1000).tolist() == [row[1] for row in rows]
    assert jobs.gpus.tolist() == [row[2] for row in rows]


HEADERS = (
    b"",
    b"submit_s,duration_s,gpus\n",
    b"timestamp,duration,num_gpus,gpu_time,cluster\n",
    b"name,num_gpu,gpu_milli,creation_time,deletion_time\n",
    b"; swf\n",
    b"LM\tcmd\t-n\t1\t1\t1\n",
)
PIECES = st.lists(
    st.sampled_from(
        [b"1", b"-1", b",", b"\n", b"\t", b" ", b'"', b"nan", b"1e309", b"\xff", b"#", b";", b"=",
         b"2017-10-09 07:01:55", b"\xef\xbb\xbf", b"0x10", b"1_0", b"\r", b"9" * 25]
    ),
    max_size=40,
).map(b"".join)  # fmt: skip


@given(
    st.sampled_from(HEADERS), PIECES | st.binary(max_size=200), st.sampled_from([None, *FORMATS])
)
@example(b"submit_s,duration_s,gpus\n", b'"', None)
@settings(max_examples=400, deadline=None)
def test_any_bytes_give_jobs_or_one_sentence(head: bytes, tail: bytes, format: str | None) -> None:
    try:
        jobs = read_trace(head + tail, format=format, steps_per_s=1.0)
    except TraceError as error:
        assert str(error).startswith("trace")
        assert "\n" not in str(error)
    else:
        assert len(jobs) >= 1 and jobs.gpus.min() >= 1 and jobs.duration_ms.min() >= 0


@given(st.text(max_size=20))
def test_no_exported_text_starts_like_a_formula_unless_it_is_a_number(text: str) -> None:
    cell = csv_cell(text)
    if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n"):
        float(cell)
    assert cell in (text, "'" + text)


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_file_cut_anywhere_is_read_or_refused_in_one_sentence(cut: int) -> None:
    whole = b"submit_s,duration_s,gpus\n0,10,1\n15,200,16\n"
    try:
        jobs = read_trace(whole[:cut])
    except TraceError as error:
        assert "\n" not in str(error)
    else:
        assert 1 <= len(jobs) <= 2
