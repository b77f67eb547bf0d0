"""Files and addresses that nobody should make: one clear sentence, and the page goes on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reader import Reader, default_query

FIELD = "Use a trace of your own"
MARKUP = '<img src=x onerror="globalThis.pwned=1">'
HEAD = "submit_s,duration_s,gpus\n"


@pytest.fixture(scope="module")
def reader(shared_lab: Any) -> Reader:
    """Return a reader whose workbench shows its first run."""
    reader = Reader(shared_lab("?track=titan&part=1&jobs=2500"))
    reader.predict()
    reader.await_run("?track=titan&part=1&jobs=2500")
    return reader


def assert_alive(reader: Reader) -> None:
    """Turn a knob and see the run that belongs to it, and back."""
    for name, placement in (("Random", "random"), ("Best fit", "best-fit")):
        reader.choose("Placement", name)
        reader.await_run(f"?track=titan&jobs=2500&placement={placement}")


def assert_nothing_was_executed(page: Page) -> None:
    assert page.evaluate("globalThis.pwned") is None
    assert page.locator("img[src=x]").count() == 0
    assert page.locator("blink, script:not([src]):not([type]):not(head script)").count() == 0


def as_file(name: str, data: bytes) -> dict[str, Any]:
    return {"name": name, "mimeType": "text/csv", "buffer": data}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "bad.csv: is empty; it needs a line for every job"),
        (HEAD.encode(), "bad.csv: has a first line but no rows"),
        (bytes(range(256)) * 8, "bad.csv, line 1: holds a NUL byte, so it is not text"),
        (b"\x1f\x8b\x08" + bytes(99), "bad.csv: is compressed (gzip); unpack it first"),
        (b"\xff\xfe" + HEAD.encode("utf-16-le"), "is encoded as UTF-16; save it as UTF-8"),
        (f"{HEAD}0,10,4\n5,20".encode(), "line 3: 2 columns instead of 3; the file was cut off"),
        (f"{HEAD}0,-10,4\n".encode(), "line 2, column duration_s: '-10' is not a number of sec"),
        (f"{HEAD}0,1e308,4\n".encode(), "line 2, column duration_s: '1e308' is not a number"),
        (f"{HEAD}nan,10,4\n".encode(), "line 2, column submit_s: 'nan' is not a number of seco"),
        (f"{HEAD}0,10,1.5\n".encode(), "line 2, column gpus: '1.5' is not a number of GPUs"),
        (f"{HEAD}=1+1,10,4\n".encode(), "line 2, column submit_s: '=1+1' is not a number of se"),
        (f"{HEAD}0,{MARKUP},4\n".encode(), "line 2, column duration_s: '<img src=x onerror="),
        (f"{MARKUP}\n1\n".encode(), "begins no known format"),
    ],
    ids=[
        "empty", "no-rows", "binary", "compressed", "utf-16", "half-written", "negative", "absurd",
        "nan", "half-a-gpu", "formula", "markup", "markup-alone",
    ],
)  # fmt: skip
def test_a_trace_that_cannot_be_is_refused_in_a_sentence(
    reader: Reader, data: bytes, sentence: str
) -> None:
    before = reader.digest
    reader.send(FIELD, as_file("bad.csv", data))
    expect(reader.part.get_by_role("alert").filter(has_text=sentence)).to_be_visible()
    assert reader.digest == before
    assert_nothing_was_executed(reader.page)


def test_the_page_goes_on_after_files_that_were_refused(reader: Reader) -> None:
    reader.send(FIELD, as_file("bad.csv", b""))
    expect(reader.part.get_by_role("alert").filter(has_text="is empty")).to_be_visible()
    assert_alive(reader)


def test_a_file_of_a_gigabyte_is_refused_by_its_size_alone(reader: Reader, tmp_path: Path) -> None:
    huge = tmp_path / "huge.csv"
    with huge.open("wb") as stream:
        stream.truncate(1_000_000_000)
    reader.send(FIELD, huge)
    expect(reader.part.get_by_role("alert").filter(has_text="huge.csv has 1000 MB")).to_be_visible()
    assert_alive(reader)


def test_five_million_rows_are_refused_by_their_number(reader: Reader, tmp_path: Path) -> None:
    long = tmp_path / "long.csv"
    long.write_text(HEAD + "1,1,1\n" * 5_000_000)
    reader.send(FIELD, long)
    sentence = "5,000,001 lines, over the limit of 2,000,000"
    expect(reader.part.get_by_role("alert").filter(has_text=sentence)).to_be_visible()
    assert_alive(reader)


def test_names_with_markup_or_a_formula_are_shown_as_they_are_written(reader: Reader) -> None:
    names = [MARKUP, '=HYPERLINK("http://example.org")', "<script>globalThis.pwned=1</script>"]
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    rows = "".join(f"{number},100,512,{name}\n" for number, name in enumerate(quoted))
    table = f"submit_s,duration_s,gpus,name\n{rows}".encode()
    reader.send(FIELD, as_file("<blink>names.csv", table))
    time = reader.page.get_by_role("slider", name="Simulated time")
    expect(reader.page).to_have_url(re.compile("workload=trace"))
    expect(reader.part.get_by_role("heading", level=1)).to_contain_text("512")
    time.press("Home")
    step = reader.page.get_by_role("button", name="Step")
    step.click()
    step.click()
    for waiting in names[1:]:
        job = reader.page.get_by_role("radio", name=f"Job {waiting}:")
        job.check()
        expect(reader.answer).to_contain_text(f"Job {waiting} waits for 512 GPUs")
    reader.part.get_by_text("The fleet as a table").click()
    table = reader.part.get_by_role("region", name="The fleet as a table")
    expect(table.get_by_role("row").nth(1)).to_contain_text(MARKUP)
    reader.part.get_by_text("The fleet as a table").click()
    reader.send(FIELD, as_file(f"{MARKUP}.csv", b""))
    expect(
        reader.part.get_by_role("alert").filter(has_text=f"{MARKUP}.csv: is empty")
    ).to_be_visible()
    assert_nothing_was_executed(reader.page)
    reader.go("?track=titan&part=1&jobs=2500")
    reader.await_run("?track=titan&jobs=2500")
    assert_alive(reader)


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ("load=NaN", "load: 'NaN' is not a whole number from 0 to 150"),
        ("load=1e308", "load: '1e308' is not a whole number from 0 to 150"),
        ("load=-5", "load: '-5' is not a whole number from 0 to 150"),
        ("seed=99999999999", "seed: '99999999999' is not a whole number from 0 to"),
        ("size=1024", "size: a gang of 1024 never fits on 512 GPUs"),
        (
            f"placement={MARKUP}",
            "placement: '<img src=x onerror=\"globalThis.pwned=1\">' is not one of",
        ),
        ("fleet=1000x1000x1000", "fleet: 1000000000 GPUs; at most 1000000 can be simulated"),
        ("__proto__=1&constructor=2", "'constructor', '__proto__' is no choice here"),
        (f"{MARKUP}=1", "is no choice here and was left out"),
        ("&".join(f"k{n}=1" for n in range(200)), "it has more than 100 choices; none was taken"),
        ("load=%ff%00%zz", "is not a whole number from 0 to 150"),
    ],
)
def test_a_choice_in_the_address_that_cannot_be_is_left_out_in_a_sentence(
    reader: Reader, choice: str, sentence: str
) -> None:
    reader.go(f"?track=titan&part=1&jobs=2500&{choice}".replace("#", "%23"))
    expect(reader.page.get_by_text(sentence)).to_be_visible()
    if choice.startswith("k0"):
        reader.await_run(default_query("titan"))
    else:
        reader.await_run("?track=titan&jobs=2500")
    assert_nothing_was_executed(reader.page)
    reader.page.get_by_role("button", name="Close").click()


def test_an_address_that_is_wrong_from_the_start_opens_the_track_as_it_is(lab: Any) -> None:
    query = f"?track=titan&part=1&load=NaN&seed=1e308&placement={MARKUP}&bogus=1"
    reader = Reader(lab(query))
    notice = reader.page.get_by_text("'bogus' is no choice here and was left out.")
    expect(notice).to_contain_text("3 more choices in the address were left out.")
    reader.await_run("?track=titan&workload=titan-crisis")
    assert_nothing_was_executed(reader.page)


def test_a_track_that_does_not_exist_leads_to_the_four_that_do(lab: Any) -> None:
    page = lab(f"?track={MARKUP}&part=9")
    expect(page.get_by_text("There is no track of that name. Choose one of these")).to_be_visible()
    assert page.get_by_role("link").filter(has=page.get_by_role("heading", level=2)).count() == 4
    assert_nothing_was_executed(page)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it is not complete JSON"),
        ('{"schema": "fleetlab-ledger/1", "track": "ti', "it is not complete JSON"),
        ("[1, 2]", "it is not a ledger"),
        ('{"schema": "other/7", "track": "titan"}', 'its schema is "other/7"'),
        ('{"schema": "fleetlab-ledger/1", "track": "<blink>"}', 'its track is "<blink>"'),
        ('{"schema": "fleetlab-ledger/1", "track": "titan", "predictions": [{"part": 1, "choice": '
         '"constructor", "number": 1, "confidence": 1, "at": "2026-01-01T00:00:00Z"}]}',
         "has a choice that was never offered"),
    ],
    ids=["empty", "half-written", "a-list", "other-schema", "markup", "no-such-choice"],
)  # fmt: skip
def test_a_ledger_that_cannot_be_is_refused_in_a_sentence(
    reader: Reader, text: str, sentence: str
) -> None:
    reader.open_view("Ledger")
    reader.send("Import JSON", as_file("bad.json", text.encode()))
    problem = reader.page.get_by_role("alert").filter(has_text="bad.json was not imported")
    expect(problem).to_contain_text(sentence)
    assert_nothing_was_executed(reader.page)
    reader.open_view("Fragmentation")
