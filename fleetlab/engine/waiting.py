"""The waiting jobs in the order they are served, and by the GPUs they ask for.

A backfill pass over a long queue looks only at the jobs that ask for no more
than is free; that is what keeps a pass short when a thousand large jobs wait.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence

from fleetlab.policy.order import Key

_FRONT = -(1 << 200)
"""Below every standing."""


class Waiting:
    """Waiting jobs, by standing (all alike at first) and rank: a job's place under the keys.

    ``turns`` holds a whole number a job, in order; the job is its remainder by the number
    of all jobs. It is empty when nobody waits.
    """

    def __init__(self, keys: Sequence[Key], gpus: list[int]) -> None:
        self._gpus = gpus
        self._count = max(1, len(keys))
        self._rank = [0] * len(keys)
        for rank, job in enumerate(sorted(range(len(keys)), key=keys.__getitem__)):
            self._rank[job] = rank
        self._turn = [rank * self._count + job for job, rank in enumerate(self._rank)]
        self.turns: list[int] = []
        self._by_gpus: dict[int, list[int]] = {}
        self._sizes: list[int] = []  # the sizes that someone waits for, ascending

    def __len__(self) -> int:
        return len(self.turns)

    def __iter__(self) -> Iterator[int]:
        return iter(self._jobs(self.turns))

    def _jobs(self, turns: list[int]) -> list[int]:
        count = self._count
        return [turn % count for turn in turns]

    def head(self) -> int:
        """Return the job that is served next."""
        return self.turns[0] % self._count

    def smallest(self) -> int:
        """Return the fewest GPUs that a waiting job asks for."""
        return self._sizes[0]

    def in_order(self, jobs: list[int]) -> list[int]:
        """Return ``jobs``, some of the waiting, in the order they are served."""
        return sorted(jobs, key=self._turn.__getitem__)

    def add(self, job: int) -> None:
        """Let ``job`` wait."""
        turn, size = self._turn[job], self._gpus[job]
        turns = self.turns
        if not turns or turns[-1] < turn:
            turns.append(turn)
        else:
            insort(turns, turn)
        same = self._by_gpus.get(size)
        if not same:
            self._by_gpus[size] = [turn]
            insort(self._sizes, size)
        elif same[-1] < turn:
            same.append(turn)
        else:
            insort(same, turn)

    def remove(self, job: int) -> None:
        """Let ``job`` wait no longer."""
        turn, size = self._turn[job], self._gpus[job]
        turns, same = self.turns, self._by_gpus[size]
        del turns[bisect_left(turns, turn)]
        del same[bisect_left(same, turn)]
        if not same:
            del self._sizes[bisect_left(self._sizes, size)]

    def behind_the_head(self, gpus: int) -> list[int]:
        """Return the jobs behind the head that ask for at most ``gpus``, in order."""
        turns: list[int] = []
        for size in self._sizes[: bisect_right(self._sizes, gpus)]:
            turns.extend(self._by_gpus[size])
        turns.sort()
        if turns and turns[0] == self.turns[0]:
            del turns[0]
        return self._jobs(turns)

    def stand(self, job: int, standing: int) -> None:
        """Serve ``job``, which does not wait now, by ``standing`` when it does: low first."""
        self._turn[job] = (standing * self._count + self._rank[job]) * self._count + job

    def put_first(self, job: int, place: int) -> None:
        """Serve ``job``, which waits, before all others, and among such by ``place``."""
        self.remove(job)
        self._turn[job] = (_FRONT + place) * self._count + job
        self.add(job)

    def reorder(self, standings: Mapping[int, int]) -> None:
        """Serve the waiting jobs by ``standings`` from now on; who is first stays there."""
        waiting = list(self)
        for job, standing in standings.items():
            self.stand(job, standing)
        self.turns = sorted([self._turn[job] for job in waiting])
        gpus, count = self._gpus, self._count
        by_gpus: dict[int, list[int]] = {}
        for turn in self.turns:
            by_gpus.setdefault(gpus[turn % count], []).append(turn)
        self._by_gpus, self._sizes = by_gpus, sorted(by_gpus)
