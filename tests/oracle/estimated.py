"""Backfill with estimates that are wrong, written from the definitions, millisecond by millisecond.

One pool of equal processors, first come first served. Slow and plain on purpose: what is
free later is counted anew for every instant that is asked about. Rows are (submit, estimate,
processors, actual), no estimate or actual below 1; the answer is each row's start.
"""

from __future__ import annotations

from collections.abc import Sequence

Rows = Sequence[tuple[int, int, int, int]]
Bookings = list[tuple[int, int, int]]
"""(from, until, processors) of what runs or is promised."""


def easy(rows: Rows, processors: int, kill: bool) -> list[int]:
    """Return the starts under EASY: whoever passes the head may not put it off, by estimates.

    Who has outlived its estimate is taken to end at any moment. Decisions are made when a
    job comes or ends.
    """
    starts, ends = [-1] * len(rows), [-1] * len(rows)
    now = -1
    while -1 in starts:
        now += 1
        if now not in ends and now not in [row[0] for row in rows]:
            continue
        reserved = spare = -1
        for job in [j for j in range(len(rows)) if rows[j][0] <= now and starts[j] < 0]:
            _, estimate, wanted, actual = rows[job]
            running = [
                (now, max(now, starts[j] + rows[j][1]), rows[j][2])
                for j in range(len(rows))
                if 0 <= starts[j] <= now < ends[j]
            ]
            if wanted > processors - sum(busy for _, _, busy in running):
                if reserved < 0:
                    moments = sorted(until for _, until, _ in running)
                    idle = {at: processors - _busy(running, at) for at in moments}
                    reserved = next(at for at in moments if idle[at] >= wanted)
                    spare = idle[reserved] - wanted
                continue
            if reserved >= 0 and now + estimate > reserved:
                if wanted > spare:
                    continue
                spare -= wanted
            starts[job] = now
            ends[job] = now + (min(actual, estimate) if kill else actual)
    return starts


def conservative(rows: Rows, processors: int, kill: bool) -> list[int]:
    """Return the starts under conservative backfill; without ``kill`` no job outlives its estimate.

    Each job has on arrival the first gap that is long enough. When a job ends early, each
    promise in turn moves to the first gap there is without it.
    """
    starts, ends = [-1] * len(rows), [-1] * len(rows)
    promise: dict[int, int] = {}
    now = -1
    while -1 in starts:
        now += 1
        running = [j for j in range(len(rows)) if starts[j] >= 0 and ends[j] > now]
        held = {j: (starts[j], starts[j] + rows[j][1], rows[j][2]) for j in running}
        early = any(ends[j] == now < starts[j] + rows[j][1] for j in range(len(rows)))
        for job in [
            *(promise if early else ()),
            *(j for j in range(len(rows)) if rows[j][0] == now),
        ]:
            others = {j: (at, at + rows[j][1], rows[j][2]) for j, at in promise.items() if j != job}
            bookings = [*held.values(), *others.values()]
            promise[job] = _first_gap(bookings, now, rows[job][1], processors - rows[job][2])
        for job in [j for j, start in promise.items() if start == now]:
            del promise[job]
            starts[job] = now
            ends[job] = now + (min(rows[job][1], rows[job][3]) if kill else rows[job][3])
    return starts


def _busy(bookings: Bookings, at: int) -> int:
    return sum(wanted for start, until, wanted in bookings if start <= at < until)


def _first_gap(bookings: Bookings, now: int, length: int, most: int) -> int:
    """Return from when on, for ``length``, no more than ``most`` processors are ever busy."""
    start = now
    while any(_busy(bookings, at) > most for at in range(start, start + length)):
        start += 1
    return start
