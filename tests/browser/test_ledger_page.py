"""The ledger on the page: what it asks, what leaves it as files, and what comes back."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from fleetlab.ledger.record import parse_ledger
from fleetlab.ledger.seal import breaks

DIGEST = "0d09b45aa422e95d380f0897a6c8ca50da990283b7d648e3d6f8bf96db1d0a8c"
OTHER = "101d411761a9274745be3f92cf4b8d65123e744c58f2d452bcba288277796974"


def ledger(**fields: Any) -> dict[str, Any]:
    """Two runs of part 1 whose utilisations diverge, and the prediction before them."""
    runs = [
        (DIGEST, "2026-01-01T09:01:00.000Z", "?track=titan&part=1&patience=-1&seed=1", 0.76, 0.76),
        (OTHER, "2026-01-01T09:02:00.000Z", "?track=titan&part=1&seed=1", 0.93, 0.72),
    ]
    return {
        "schema": "fleetlab-ledger/2",
        "track": "titan",
        "seed": 1,
        "version": "0.1.0",
        "predictions": [
            {"part": 1, "choice": "same", "number": 1, "confidence": 4,
             "at": "2026-01-01T09:00:00.000Z"}
        ],
        "runs": [
            {"part": 1, "digest": digest, "at": at, "scenario": scenario,
             "figures": {"allocated": allocated, "productive": productive}}
            for digest, at, scenario, allocated, productive in runs
        ],
        **fields,
    }  # fmt: skip


def give(page: Page, value: Any, name: str = "mine.json") -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    page.locator("input[data-do=import]").set_input_files(
        {"name": name, "mimeType": "application/json", "buffer": text.encode()}
    )


def take(page: Page, button: str, folder: Path) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path.read_bytes()


def choose(page: Page, label: str, digest: str) -> None:
    page.get_by_label(label, exact=True).select_option(digest)


def test_a_ledger_is_concluded_exported_and_read_again(lab: Any, tmp_path: Path) -> None:
    page = lab("?track=titan#ledger")
    give(page, ledger())
    page.get_by_text("mine.json is in your ledger.").wait_for()
    expect(page.get_by_role("row", name="The same")).to_contain_text("1 times as long")
    missing = page.locator("[data-list=missing]")
    expect(missing).to_contain_text("the final policy")

    choose(page, "Part 1, fragmentation", OTHER)
    expect(page.get_by_text("The policy: first come, first served, backfill")).to_be_visible()
    choose(page, "One run", DIGEST)
    choose(page, "The other", DIGEST)
    verdict = page.locator("[data-text=paradox_check]")
    expect(verdict).to_have_text("This is the same run twice. Choose two.")
    expect(missing).to_contain_text("two runs that diverge")
    choose(page, "The other", OTHER)
    expect(verdict).to_contain_text("allocated 76.0\u00a0% against 93.0\u00a0%")
    expect(verdict).to_contain_text("The busier one did less work.")
    page.get_by_label("Job locality").check()
    page.get_by_label("The alternative you rejected").fill("Random, <b>cheap</b> | strewn")
    page.get_by_label("How you got round it").fill("I held out for one block.")
    page.get_by_label("The residual risk").fill("A burst of gangs.")
    expect(missing).not_to_contain_text("the residual risk")
    expect(missing).to_contain_text("the reflection of part 1")

    data = take(page, "Export JSON", tmp_path)
    read = parse_ledger(data)
    assert read.priority == "locality"
    assert read.paradox_runs == (DIGEST, OTHER)
    assert read.evidence_runs == (OTHER,)
    assert (read.evidence["allocated"], read.evidence["mfu"]) == (0.93, None)
    assert read.policy["backfill"] == "easy"
    assert read.predictions[0].choice == "same"
    assert breaks(json.loads(data)) == []

    markdown = take(page, "Export Markdown", tmp_path).decode()
    assert "Not complete: it lacks" in markdown
    assert "> Random, \\<b\\>cheap\\</b\\> \\| strewn" in markdown
    assert take(page, "Export picture", tmp_path).startswith(b"\x89PNG")

    page.get_by_text("The textbook’s ledger").click()
    book = json.loads(take(page, "Export for the textbook", tmp_path))
    assert (book["track"], book["current_step"]) == ("titan", "v2_08")

    again = lab("?track=nomad#ledger")
    book["history"]["v2_07"] = {"kept": True}
    give(again, book, "ledger.json")
    again.get_by_text("ledger.json is in your ledger.").wait_for()
    assert "track=titan" in again.url, "a ledger opens on its own track"
    expect(again.get_by_label("The residual risk")).to_have_value("A burst of gangs.")
    expect(again.get_by_label("One run", exact=True)).to_have_value(DIGEST)
    again.get_by_text("The textbook’s ledger").click()
    returned = json.loads(take(again, "Export for the textbook", tmp_path))
    assert returned["history"]["v2_07"] == {"kept": True}, "the other steps come back as they were"

    again.reload()
    expect(again.get_by_label("The residual risk")).to_have_value("A burst of gangs.")
    expect(again.get_by_label("Job locality")).to_be_checked()
    expect(again.get_by_label("The alternative you rejected")).to_have_value(
        "Random, <b>cheap</b> | strewn"
    )


FAULTS = [
    ("{", "it is not complete JSON"),
    ([], "it is not a ledger"),
    (ledger(schema="fleetlab-ledger/9"), 'its schema is "fleetlab-ledger/9"'),
    (ledger(track="mars"), 'its track is "mars"'),
    (ledger(predictions=[{"part": 1}]), "prediction 1 has a choice that was never offered"),
    (ledger(runs=[{"digest": "x"}]), "run 1 lacks its time or its digest"),
    (ledger(priority="both"), 'its priority is "both"'),
    (ledger(residual_risk=7), "the residual risk is not a text"),
    (ledger(paradox_answer={"text": "", "runs": ["<b>"]}), "the paradox answer cites what is no"),
]


def test_a_file_that_is_no_ledger_is_refused_in_one_sentence(lab: Any) -> None:
    page = lab("?track=titan#ledger", until=None)
    page.locator("html[data-record=ready]").wait_for()
    problem = page.locator("[data-text=import_problem]")
    for value, words in FAULTS:
        give(page, value, "<i>odd.json")
        expect(problem).to_contain_text(f"<i>odd.json was not imported: {words}")
    assert page.locator("i").count() == 0
    expect(page.locator("[data-text=ledger_status_detail]")).to_have_text(
        "Nothing is recorded on this track yet."
    )


@pytest.mark.parametrize("key", ["embed=1", "lecture=1", "theme=dark"])
def test_what_is_the_pages_own_stays_in_every_address(lab: Any, key: str) -> None:
    page = lab(f"?track=nomad&part=1&{key}", until=None)
    page.evaluate("location.hash = 'ledger'")
    expect(page.locator("html")).to_have_attribute("data-view", "ledger")
    page.evaluate("document.querySelector('[data-to=part1]').click()")
    expect(page.locator("html")).to_have_attribute("data-view", "part1")
    assert key in page.url
