"""The parts' templates and their Python meet by name: a view without a place would be lost."""

import re

import pytest

from builder import pages
from builder.assemble import SITE
from fleetlab.app.host import ManualClock
from fleetlab.app.page import Page
from fleetlab.app.parts import PARTS
from fleetlab.missions import TRACKS
from fleetlab.missions.questions import CONFIDENCES, questions
from fleetlab.policy.rule import START


def page_html() -> str:
    content = pages.render_content(SITE / "content", _AnyFigure())
    asked = [question.for_page() for question in questions().values()]
    return pages.render_page(
        SITE / "index.html",
        content=content,
        parts=[question for question in asked if question["part"] in PARTS],
        questions=asked,
        confidences=CONFIDENCES,
        rule_start=START,
    )


class _AnyFigure(dict[str, str]):
    """Figures of which every one is there: what they say is not what is asked here."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return "0"


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("track", TRACKS)
def test_every_view_has_its_place_in_the_page(track: str, part: int) -> None:
    places = set(re.findall(r'id="(part\d-[\w-]+)" class="slot"', page_html()))
    page = Page(
        f"?track={track}&part={part}", "light", ManualClock(), lambda *_: None, lambda: None
    )
    assert set(page.slots) <= places
    assert all(name.startswith(f"part{part}-") for name in page.slots)


def test_no_two_elements_of_the_page_share_an_id() -> None:
    ids = re.findall(r'\sid="([^"]+)"', page_html())
    assert len(ids) == len(set(ids))


def test_a_part_that_is_not_there_opens_the_first_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(PARTS, 3, raising=False)
    told: list[tuple[str, object]] = []
    page = Page(
        "?track=titan&part=3",
        "light",
        ManualClock(),
        lambda name, value: told.append((name, value)),
        lambda: None,
    )
    page.begin()
    assert page.session.scenario.part == 1
    assert ("notice", "part: there is no part 3 here yet.") in told
