"""Titan opens on its crisis: many GPUs free, none of them of use to the gang that waits."""

from __future__ import annotations

from collections import Counter
from typing import Any

from playwright.sync_api import expect

from tests.browser.reader import Reader, run_of

CRISIS = "?track=titan&workload=titan-crisis"
WHY = (
    "Job 200 waits for 64 GPUs as 8 whole nodes: 100 are free, and no node is whole. "
    "It is the head of the queue."
)


def test_a_hundred_gpus_are_free_two_in_each_of_50_racks_and_the_gang_of_64_waits(
    lab: Any,
) -> None:
    reader = Reader(lab("?track=titan&part=1"))
    run = reader.await_run(CRISIS)
    assert reader.title == "100 GPUs are free, and the gang of 64 still waits"
    assert reader.answer.inner_text() == WHY
    picture = reader.part.get_by_role("img", name=reader.title)
    expect(picture).to_have_attribute("aria-label", f"{reader.title}. {reader.scene.inner_text()}")

    reader.predict()
    workload = reader.page.get_by_role("combobox", name="Workload")
    workload.select_option(label="The crisis: 50 racks with 2 GPUs free in each")
    reader.await_digest(run.digest)
    expect(reader.answer).to_have_text(WHY)
    cost = reader.part.get_by_role("figure", name="what the holes cost")
    expect(cost).to_contain_text("$200 / h")
    reader.part.get_by_text("The fleet as a table").click()
    table = reader.part.get_by_role("region", name="The fleet as a table")
    expect(table.get_by_role("row")).to_have_count(1 + 200)
    rows = table.locator("table").evaluate(
        "table => [...table.rows].map(row => [...row.cells].map(cell => cell.textContent))"
    )
    assert rows[0] == ["rack", "node", "free", "useless", "jobs on it"]
    free: Counter[str] = Counter()
    for rack, _, count, useless, _ in rows[1:]:
        assert count == useless
        free[rack] += int(count)
    assert free == {str(rack): 2 for rack in range(1, 51)}
    assert run_of(CRISIS).fleet.gpus == 1600
