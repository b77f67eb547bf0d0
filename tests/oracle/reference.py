"""A second scheduler, written from the definitions and in another way than the engine.

It knows one machine of equal processors. It is slow and plain on purpose: FCFS
is a formula over the times at which processors come free, EASY looks at every
waiting job and every running one at each instant, and conservative backfill,
where every estimate is exact, gives each job the first gap that is long enough.
Rows are (submit, run time, processors), in order of submission; the answer is
each row's start.
"""

from __future__ import annotations

from bisect import bisect_left, insort

Rows = list[tuple[int, int, int]]


def fcfs(rows: Rows, processors: int) -> list[int]:
    """Return the starts when nobody passes anybody: when enough processors are free, in turn."""
    free_at = [0] * processors
    starts: list[int] = []
    for submit, runtime, wanted in rows:
        start = max(submit, free_at[wanted - 1], starts[-1] if starts else 0)
        starts.append(start)
        free_at[:wanted] = [start + runtime] * wanted
        free_at.sort()
    return starts


def easy(rows: Rows, processors: int) -> list[int]:
    """Return the starts under EASY: pass the head only if that cannot put it off."""
    starts = [-1] * len(rows)
    ends: list[tuple[int, int]] = []  # (end, processors) of what runs
    queue: list[int] = []
    moments = sorted({submit for submit, _, _ in rows})
    arrivals: dict[int, list[int]] = {}
    for row, (submit, _, _) in enumerate(rows):
        arrivals.setdefault(submit, []).append(row)
    while moments:
        now = moments.pop(0)
        ends = [e for e in ends if e[0] > now]
        queue += arrivals.pop(now, [])
        idle = processors - sum(n for _, n in ends)
        shadow = spare = -1
        for row in list(queue):
            _, runtime, wanted = rows[row]
            if shadow < 0 and wanted > idle:  # the head: find its shadow time and what it spares
                spare = idle
                for end, n in sorted(ends):
                    if shadow >= 0 and end > shadow:
                        break
                    spare += n
                    if shadow < 0 and spare >= wanted:
                        shadow = end
                spare -= wanted
                continue
            if wanted > idle:
                continue
            if shadow >= 0 and now + runtime > shadow:
                if wanted > spare:
                    continue
                spare -= wanted
            starts[row] = now
            queue.remove(row)
            ends.append((now + runtime, wanted))
            idle -= wanted
            if now + runtime not in moments[: bisect_left(moments, now + runtime) + 1]:
                insort(moments, now + runtime)
    return starts


def conservative(rows: Rows, processors: int) -> list[int]:
    """Return the starts when each job, on arrival, takes the first gap that is long enough."""
    times, idle = [0], [processors]  # idle[i] processors from times[i] until times[i + 1]
    starts = []
    for submit, runtime, wanted in rows:
        at = 0
        start = submit
        while at < len(times):
            ends = times[at + 1] if at + 1 < len(times) else None
            if ends is not None and ends <= start:
                at += 1
            elif idle[at] < wanted:
                assert ends is not None
                start, at = ends, at + 1
            elif ends is None or ends >= start + runtime:
                break
            else:
                at += 1
        starts.append(start)
        for cut in (start, start + runtime):
            place = bisect_left(times, cut)
            if place == len(times) or times[place] != cut:
                times.insert(place, cut)
                idle.insert(place, idle[place - 1])
        for i in range(bisect_left(times, start), bisect_left(times, start + runtime)):
            idle[i] -= wanted
        past = bisect_left(times, submit + 1) - 1  # nothing can start before now any more
        del times[:past], idle[:past]
    return starts
