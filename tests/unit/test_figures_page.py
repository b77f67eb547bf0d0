"""The figures of a ledger as its page says them."""

import pytest

from fleetlab.ledger.evidence import DECIMALS
from tests.javascript import evaluate


def test_every_figure_that_a_ledger_keeps_has_a_name_in_words() -> None:
    names = evaluate("figures.js", "v[0].map(m.figureName)", list(DECIMALS))
    assert [name for name in names if "_" in name] == []
    assert len(set(names)) == len(names), "two figures of one name cannot be told apart"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("wait_p95_s", 5400, "1.5 h"),
        ("tokens_s", 1834.2, "1,834"),  # a rate: its _s is "a second", and it is no time
        ("frames_s", 58.6, "58.6"),
        ("loop_p999_ms", 20.04, "20.04 ms"),
        ("loop_p999_ms", 960_000, "16 min"),
        ("hops_spine", 0.964, "96.4 %"),
        ("dropout_share", 0.0048, "0.48 %"),
        ("deadlocked", 1, "yes"),
        ("effective_dollars", 1.07, "$1.07"),
        ("cost_dollars", 1075, "$1,075"),
    ],
)
def test_a_figure_is_said_in_its_own_unit(name: str, value: float, said: str) -> None:
    assert evaluate("figures.js", "m.figureText(...v)", name, value).replace("\u00a0", " ") == said
