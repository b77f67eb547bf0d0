"""What the start-up bench makes of the loads that it has measured."""

from builder.bench import misses, report
from builder.loads import Load


def loads(stock: float, painted: float, live: float, again: float) -> dict[str, list[Load]]:
    """Return three loads of each kind; the first and the last are far off the median."""

    def around(painted_ms: float, live_ms: float, sent_bytes: int) -> list[Load]:
        shares = (0.1, 1.0, 9.0)
        return [Load(painted_ms * share, live_ms * share, sent_bytes) for share in shares]

    return {
        "stock": around(stock, stock, 25_000_000),
        "lab": around(painted, live, 20_000_000),
        "again": around(painted, again, 50_000),
    }


def test_medians_at_their_shares_of_the_stock_pages_live_time_miss_nothing() -> None:
    assert misses(loads(stock=10_000, painted=1_000, live=1_500, again=1_000)) == []


def test_each_median_over_its_share_is_named() -> None:
    assert misses(loads(stock=10_000, painted=1_001, live=1_500, again=1_000)) == [
        "lab painted in 0.1 of the stock page's live time"
    ]
    assert misses(loads(stock=10_000, painted=900, live=1_501, again=1_001)) == [
        "lab live in 0.15 of the stock page's live time",
        "again live in 0.1 of the stock page's live time",
    ]


def test_the_table_holds_medians_and_their_ratios_to_the_stock_page(capsys) -> None:
    report("Firefox, local", loads(stock=10_000, painted=500, live=1_200, again=800))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "Firefox, local, median of 3 stock lab ratio again ratio",
        "painted, s 10.00 0.50 0.050 0.50 0.050",
        "live, s 10.00 1.20 0.120 0.80 0.080",
        "sent, MB 25.00 20.00 0.800 0.05 0.002",
    ]
