"""Traces: each format by hand-sized files, and every kind of hostile file."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import pytest

from fleetlab.workloads.table import LINE_LIMIT, ROW_LIMIT, SIZE_LIMIT_BYTES
from fleetlab.workloads.traces import TraceError, check_size, csv_cell, load_trace, read_trace

PHILLY = b"""timestamp,duration,num_gpus,gpu_time,cluster
2017-10-09 07:01:55,66.0,1,66.0,11cb48
2017-10-09 06:13:03,2951.0,8,23608.0,6214e9
2017-10-09 06:13:04,0.0005,1,1.0,11cb48
"""
SWF = b"""; Version: 2
; MaxProcs: 256
1 10 5 100 4 -1 -1 8 200 -1 1 7 -1 -1 -1 -1 -1 -1
2 20 5 -1 4 -1 -1 8 200 -1 5 7 -1 -1 -1 -1 -1 -1
3 30 5 50 -1 -1 -1 16 -1 -1 1 9 -1 -1 -1 -1 -1 -1
4 40 5 50 -1 -1 -1 -1 60 -1 1 9 -1 -1 -1 -1 -1 -1
"""
PODS = b"""\
name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,\
creation_time,deletion_time,scheduled_time
a,1000,1,1,460,,LS,Running,5,105,7
b,1000,1,0,0,,BE,Running,6,106,7
c,1000,1,8,1000,V100,BE,Pending,7,17,
"""
GAVEL = (
    b'ResNet-18\tpython3 main.py --data "x, y"\t--num_steps\t1\t3000\t10.5\t4\n'
    b"LM\tpython main.py\t--steps\t1\t100\t20\t1\n"
)
CSV = b"submit_s,duration_s,gpus\n0,10,1\n1.5,20,8\n"


def refusal(data: bytes, **options: object) -> str:
    """Return the one sentence with which a file is refused."""
    with pytest.raises(TraceError) as caught:
        read_trace(data, **options)  # type: ignore[arg-type]
    sentence = str(caught.value)
    assert "\n" not in sentence and len(sentence) < 500
    return sentence


def test_a_philly_trace_counts_from_its_earliest_job_and_keeps_the_order_of_the_file() -> None:
    trace = load_trace(PHILLY)
    assert trace.format == "philly"
    assert trace.jobs.submit_ms.tolist() == [2_932_000, 0, 1_000]
    assert trace.jobs.duration_ms.tolist() == [66_000, 2_951_000, 0]
    assert trace.jobs.gpus.tolist() == [1, 8, 1]
    assert trace.tenants == ("11cb48", "6214e9")


def test_a_virtual_cluster_is_selected_by_name_and_an_unknown_one_refused() -> None:
    trace = load_trace(PHILLY)
    assert trace.select_tenant("11cb48").gpus.tolist() == [1, 1]
    with pytest.raises(TraceError, match="nobody is named 'x'; choose from '11cb48', '6214e9'"):
        trace.select_tenant("x")


def test_an_swf_job_takes_allocated_else_requested_processors_and_cancelled_ones_are_counted() -> (
    None
):
    trace = load_trace(SWF)
    assert trace.format == "swf"
    assert trace.jobs.submit_ms.tolist() == [10_000, 30_000]
    assert trace.jobs.gpus.tolist() == [4, 16]
    assert trace.jobs.estimate_ms.tolist() == [200_000, 50_000]
    assert trace.skipped == 2
    assert trace.tenants == ("7", "9")


def test_alibaba_pods_stay_from_creation_to_deletion_and_those_without_gpu_are_counted() -> None:
    trace = load_trace(PODS)
    assert trace.format == "alibaba"
    assert trace.jobs.names == ("a", "c")
    assert trace.jobs.duration_ms.tolist() == [100_000, 10_000]
    assert trace.jobs.gpu_milli.tolist() == [460, 1000]
    assert trace.skipped == 1
    assert [trace.tenants[owner] for owner in trace.jobs.tenant] == ["LS", "BE"]


def test_gavels_steps_become_run_times_at_the_rate_of_each_job_type() -> None:
    trace = load_trace(GAVEL, steps_per_s={"ResNet-18": 30.0, "LM": 10.0})
    assert trace.format == "gavel"
    assert trace.jobs.duration_ms.tolist() == [100_000, 10_000]
    assert trace.jobs.submit_ms.tolist() == [10_500, 20_000]
    assert trace.jobs.gpus.tolist() == [4, 1]
    assert trace.tenants == ("ResNet-18", "LM")


def test_gavels_later_columns_are_told_by_their_number() -> None:
    nine = b"LM\tcmd\t--steps\t1\t100\t2\t1.0\t-1\t7.25\n"
    ten = b"LM\tcmd\tfolder\t--steps\t1\t100\t2\t1.0\t-1\t7.25\n"
    for data in (nine, ten):
        jobs = read_trace(data, steps_per_s=10.0)
        assert (jobs.submit_ms[0], jobs.duration_ms[0], jobs.gpus[0]) == (7_250, 10_000, 2)


def test_gavel_without_rates_says_that_steps_are_not_seconds() -> None:
    assert "steps, not seconds" in refusal(GAVEL)
    assert "no steps a second are stated for 'LM'" in refusal(GAVEL, steps_per_s={"ResNet-18": 1.0})


def test_our_csv_takes_columns_in_any_order_and_optional_ones_may_be_empty() -> None:
    jobs = read_trace(
        b"gpus,priority,duration_s,submit_s,estimate_s,tenant,name\n"
        b"1,-2,10,0,,ann,first\n2,,10,0,12.0004,bob,second\n"
    )
    assert jobs.estimate_ms.tolist() == [10_000, 12_000]
    assert jobs.priority.tolist() == [-2, 0]
    assert jobs.tenant.tolist() == [0, 1]
    assert jobs.names == ("first", "second")


@pytest.mark.parametrize(
    "data",
    [
        CSV.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + CSV,
        b'"submit_s","duration_s","gpus"\n"0","10","1"\n"1.5","20","8"\n',
        b"# a comment\n\nsubmit_s , Duration_S,gpus\n\n0,10,1\n  \n# more\n1.5,20, 8\n\n",
        CSV.rstrip(b"\n"),
    ],
    ids=["CRLF", "BOM", "quoted", "comments and blank lines", "no last line end"],
)
def test_the_same_table_is_read_however_it_was_saved(data: bytes) -> None:
    jobs = read_trace(data)
    assert jobs.submit_ms.tolist() == [0, 1_500]
    assert jobs.gpus.tolist() == [1, 8]


def test_a_path_and_a_stream_are_read_like_bytes(tmp_path: Path) -> None:
    path = tmp_path / "jobs.csv"
    path.write_bytes(CSV)
    assert len(read_trace(path)) == len(read_trace(io.BytesIO(CSV))) == 2


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"^gone.csv: cannot be read \(No such file"):
        read_trace(tmp_path / "gone.csv", name="gone.csv")


def test_progress_is_told_in_rows_and_ends_at_all_of_them() -> None:
    told: list[tuple[int, int]] = []
    rows = b"0,1,1\n" * 45_000
    read_trace(
        b"submit_s,duration_s,gpus\n" + rows, progress=lambda done, of: told.append((done, of))
    )
    assert [done for done, _ in told] == [20_000, 40_000, 45_000]
    assert told[-1] == (45_000, 45_000)


def test_a_file_announced_as_too_large_is_refused_before_it_is_read() -> None:
    check_size(SIZE_LIMIT_BYTES)
    with pytest.raises(TraceError, match="trace: 1,000 MB, over the limit of 200 MB; cut it"):
        check_size(1_000_000_000)


def test_an_endless_stream_is_cut_at_the_limit() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1, /) -> bytes:
            self.given += size
            return b"0" * size

    stream = Endless()
    with pytest.raises(TraceError, match="over the limit of 200 MB"):
        read_trace(stream)  # type: ignore[arg-type]
    assert stream.given <= SIZE_LIMIT_BYTES + (1 << 20)


def test_five_million_rows_are_refused_before_any_is_split() -> None:
    told: list[int] = []
    data = b"submit_s,duration_s,gpus\n" + b"0,1,1\n" * 5_000_000
    with pytest.raises(TraceError, match=f"5,000,001 lines, over the limit of {ROW_LIMIT:,}"):
        read_trace(data, progress=lambda done, of: told.append(done))
    assert told == []


HOSTILE = {
    "empty": (b"", "trace: is empty"),
    "only blanks": (b"\xef\xbb\xbf \r\n\n", "trace: is empty"),
    "only a header": (b"submit_s,duration_s,gpus\n", "has a first line but no rows"),
    "NUL bytes": (CSV + b"1,2\0,3\n", "line 4: holds a NUL byte"),
    "a gzip file": (b"\x1f\x8b\x08\x00abc", "is compressed (gzip); unpack it"),
    "a zip file": (b"PK\x03\x04abc", "is compressed (zip); unpack it"),
    "UTF-16": (CSV.decode().encode("utf-16"), "is encoded as UTF-16; save it as UTF-8"),
    "Latin-1": (b"submit_s,duration_s,gpus,tenant\n0,1,1,J\xf6rg\n", "line 2: is not UTF-8 text"),
    "a number as Python alone writes it": (
        CSV + b"1_0,2,3\n",
        "line 4, column submit_s: '1_0' is not",
    ),
    "digits of another script": (CSV + "3,٣,3\n".encode(), "line 4, column duration_s: '٣' is not"),
    "a half-written last line": (CSV + b"3,4", "line 4: 2 columns instead of 3; the file was cut"),
    "a short line inside": (
        b"submit_s,duration_s,gpus\n3,4\n1,2,3\n",
        "line 2: 2 columns instead of 3; correct or remove",
    ),
    "an open quote": (CSV + b'"3,4,5\n', "not readable as CSV"),
    "a negative duration": (CSV + b"1,-2,3\n", "line 4, column duration_s: '-2' is not a number"),
    "1e308 seconds": (CSV + b"1,1e308,3\n", "line 4, column duration_s: '1e308' is not"),
    "NaN": (CSV + b"nan,2,3\n", "line 4, column submit_s: 'nan' is not"),
    "infinity": (CSV + b"inf,2,3\n", "line 4, column submit_s: 'inf' is not"),
    "beyond a hundred years": (CSV + b"3155760001,2,3\n", "column submit_s: '3155760001' is not"),
    "a milliard GPUs": (CSV + b"1,2,1000000000\n", "line 4, column gpus: '1000000000' is not"),
    "no GPU": (CSV + b"1,2,0\n", "line 4, column gpus: '0' is not a number of GPUs from 1"),
    "half a GPU": (CSV + b"1,2,0.5\n", "line 4, column gpus: '0.5' is not"),
    "one and a half": (CSV + b"1,2,1.5\n", "line 4, column gpus: '1.5' is not a number of GPUs; "),
    "a word": (CSV + b"1,soon,3\n", "line 4, column duration_s: 'soon' is not a number of seconds"),
    "an empty cell": (CSV + b"1,,3\n", "line 4, column duration_s: is empty, not a number"),
    "a formula": (CSV + b"1,=2+3,3\n", "line 4, column duration_s: '=2+3' is not"),
    "a duplicate header": (
        b"submit_s,duration_s,gpus,gpus\n0,1,1,1\n",
        "line 1: two columns are named 'gpus'; keep one",
    ),
    "a missing column": (b"submit_s,gpus\n0,1\n", "line 1: no column duration_s; the first line"),
    "no known format": (b"<html>\n<body>\n", "line 1: '<html>' begins no known format"),
    "a long name": (
        b"submit_s,duration_s,gpus,tenant\n0,1,1," + b"x" * 201 + b"\n",
        "line 2, column tenant: 201 characters, over 200; use a shorter name",
    ),
    "an endless line": (
        CSV + b"1," * LINE_LIMIT + b"\n",
        "line 4: 200,001 characters, over the limit",
    ),
    "a date that is none": (
        PHILLY + b"2017-13-09 06:13:04,1,1,1,x\n",
        "line 5, column timestamp: '2017-13-09 06:13:04' is not a date and time",
    ),
    "dates centuries apart": (PHILLY + b"1066-10-14 09:00:00,1,1,1,x\n", "spans over 100 years"),
    "a pod deleted before it was made": (
        PODS + b"d,1,1,1,500,,LS,Running,9,8,\n",
        "line 5, column deletion_time: lies before creation_time",
    ),
    "a pod with a GPU but no share": (
        PODS + b"d,1,1,1,0,,LS,Running,8,9,\n",
        "line 5, column gpu_milli: is 0 though num_gpu is not",
    ),
    "an SWF line of another length": (SWF + b"5 50 5 10\n", "line 7: 4 columns instead of 18"),
    "only cancelled jobs": (
        b"1 10 5 -1 4 -1 -1 8 200\n",
        "all 1 lines were left out; no job is in it",
    ),
}


@pytest.mark.parametrize(("data", "sentence"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_is_refused_in_one_sentence(data: bytes, sentence: str) -> None:
    refused = refusal(data)
    assert refused.startswith("trace")
    assert sentence in refused


def test_random_bytes_are_refused_never_read() -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        refusal(bytes(rng.integers(0, 256, size=2_000, dtype=np.uint8)))


def test_an_unknown_format_is_refused_with_the_ones_there_are() -> None:
    assert "no format 'xls'; choose from philly, alibaba, csv, swf, gavel" in refusal(
        CSV, format="xls"
    )


def test_a_format_that_is_stated_is_not_guessed() -> None:
    assert "no column timestamp" in refusal(CSV, format="philly")


def test_markup_in_a_name_stays_text() -> None:
    name = "<img src=x onerror=alert(1)>"
    data = f"submit_s,duration_s,gpus,tenant\n0,1,1,{name}\n".encode()
    assert load_trace(data).tenants == (name,)


def test_a_long_or_control_laden_cell_is_quoted_short_and_escaped() -> None:
    sentence = refusal(CSV + b"1," + b"9z" * 400 + b",3\n")
    assert "…' is not" in sentence and len(sentence) < 200
    assert "\\x1b[31m" in refusal(CSV + b"1,\x1b[31m,3\n")


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\t=1", "\r=1"])
def test_an_exported_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert csv_cell(text) == "'" + text


@pytest.mark.parametrize(
    ("value", "text"), [("-5", "-5"), (-5, "-5"), ("+1e3", "+1e3"), ("a=1", "a=1"), (2.5, "2.5")]
)
def test_numbers_and_harmless_text_are_exported_as_they_are(value: object, text: str) -> None:
    assert csv_cell(value) == text


def test_ties_of_submission_keep_the_order_of_the_file() -> None:
    data = b"submit_s,duration_s,gpus\n" + b"".join(b"5,%d,1\n" % n for n in range(1, 9))
    durations = read_trace(data).by_submit().duration_ms.tolist()
    assert all(sooner < later for sooner, later in itertools.pairwise(durations))
