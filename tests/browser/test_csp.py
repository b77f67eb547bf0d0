"""The page may reach its own origin and nothing else, and its policy says so exactly."""

import re
from typing import Any

import pytest

from builder.policy import DIRECTIVES

PAGES = ["", "?track=titan&part=1", "instructor.html"]


def policy_of(html: str) -> dict[str, str]:
    found = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert found
    return dict(part.strip().split(" ", 1) for part in found.group(1).split(";"))


@pytest.mark.parametrize("address", PAGES)
def test_every_page_carries_the_policy_and_no_more_exceptions_than_are_written_down(
    lab: Any, address: str
) -> None:
    page = lab(address, until=None)
    policy = policy_of(page.request.get(lab.site + address).text())
    assert set(policy) == set(DIRECTIVES)
    for name, value in DIRECTIVES.items():
        rest = set(policy[name].split()) - set(value.split())
        assert all(part.startswith("'sha256-") for part in rest), (name, rest)


def test_another_origin_cannot_be_reached_and_foreign_text_is_not_run(lab: Any) -> None:
    page = lab("?track=titan&part=1", expected=("Content Security Policy", "violates"))
    reached = page.evaluate(
        "fetch('https://example.invalid/').then(() => 'reached', () => 'refused')"
    )
    assert reached == "refused"
    ran = page.evaluate(
        """() => {
          const script = document.createElement('script');
          script.textContent = 'globalThis.foreign = true';
          document.body.append(script);
          return globalThis.foreign === true;
        }"""
    )
    assert ran is False
