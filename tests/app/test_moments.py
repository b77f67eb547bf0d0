"""A recording shows at each of its moments what the live app shows there."""

import json
from typing import Any

import pytest

from fleetlab.app import host, moments, openings

RUNS = [("titan", 1), ("nomad", 2), ("guardian", 3), ("pioneer", 3)]


def fresh(part: int) -> None:
    """Put the desks back as the build does: nobody has used them."""
    host._desks.clear()
    host.prepare(part, host.ManualClock())


@pytest.fixture(scope="module", params=RUNS, ids=lambda run: f"{run[0]}-{run[1]}")
def recorded(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return a part's run, what was seen of it, and its recording as the page reads it."""
    track, part = request.param
    fresh(part)
    run = openings.first_run(track, part, "locked")
    fresh(part)
    course = json.loads(json.dumps(moments.course(track, part, run)))
    looks = []
    for look in openings.LOOKS:
        fresh(part)
        looks.append(moments.seen(track, part, look, run, course))
    file = json.loads(moments.recording(track, part, course, looks))
    return {"track": track, "part": part, "run": run, "course": course, "file": file}


def rows(table: dict[str, Any], moment: int, look: int) -> list[Any]:
    return [table["values"][table["looks"][look]][row] for row in table["at"][moment]]


def page_of(desk: host.Desk) -> dict[tuple[str, str], Any]:
    """Return every value that was set in a page's document, but what the recording's page sets."""
    document = desk.link.document
    # A value that is a model, or a list of them, is the build's and stays.
    return {
        (model.id, name): moments.value_of(document, model.id, name)
        for model in document.models
        for name, value in model._property_values.items()
        if isinstance(value, str | int | float | bool | list | dict | None)
        and (name, getattr(model, "title", "")) != ("value", "Simulated time")
        and not any(hasattr(one, "id") for one in (value if isinstance(value, list) else []))
    }


@pytest.mark.parametrize("look", openings.LOOKS)
def test_any_moment_put_on_the_opening_is_the_page_that_the_app_has_there(
    recorded: dict[str, Any], look: str
) -> None:
    course, file = recorded["course"], recorded["file"]
    number = file["looks"].index(look)
    fresh(recorded["part"])
    desk, _ = openings.present(recorded["track"], recorded["part"], "locked", look, recorded["run"])
    opening = page_of(desk)
    assert course["times"][course["shown"]] == desk.page.session.time_ms
    for moment in (len(course["times"]) - 1, course["shown"], 0, len(course["times"]) // 3):
        there = dict(opening)
        for model, attributes in file["models"].items():
            for name, table in attributes.items():
                [there[model, name]] = rows(table, moment, number)
        for model, columns in file["columns"].items():
            there[model, "data"] = {
                name: rows(table, moment, number) for name, table in columns.items()
            }
        desk.page.session.look(course["times"][moment])
        live = page_of(desk)
        assert {name for name in live if live[name] != there.get(name)} == set()


def test_the_texts_of_a_moment_are_those_that_any_reader_is_told_there(
    recorded: dict[str, Any],
) -> None:
    course, file = recorded["course"], recorded["file"]
    fresh(recorded["part"])
    again = moments.course(recorded["track"], recorded["part"], recorded["run"], reader=1)
    for moment, frame in enumerate(json.loads(json.dumps(again["frames"]))):
        told = course["frames"][0] | {
            name: rows(table, moment, 0)[0] for name, table in file["texts"].items()
        }
        assert {name: frame[name] for name in file["texts"]} == {
            name: told[name] for name in file["texts"]
        }


def test_a_recording_goes_from_the_start_of_the_run_to_its_end(recorded: dict[str, Any]) -> None:
    times = recorded["course"]["times"]
    assert times[0] == 0 and times == sorted(set(times))
    assert moments.EVEN < len(times) <= moments.EVEN + moments.MOST_CHANGES + 2


def test_a_run_of_few_changes_is_recorded_at_each_of_them(recorded: dict[str, Any]) -> None:
    desk, _ = openings.present(
        recorded["track"], recorded["part"], "locked", "light", recorded["run"]
    )
    run = desk.page.session.run
    assert run is not None
    changes = [0]
    while changes[-1] < run.last_ms and len(changes) <= moments.MOST_CHANGES:
        changes.append(run.next_change_ms(changes[-1]))
    few = changes[-1] == run.last_ms
    assert few == (set(changes) <= set(recorded["course"]["times"]))
