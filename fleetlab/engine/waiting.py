"""The waiting jobs in the order they are served, and by the GPUs they ask for.

A backfill pass over a long queue looks only at the jobs that ask for no more
than is free; that is what keeps a pass short when a thousand large jobs wait.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence

from fleetlab.policy.order import Key


class Waiting:
    """Waiting jobs, by rank: a job's place among all jobs under the order's keys.

    ``ranks`` holds them in order; it is empty when nobody waits.
    """

    def __init__(self, keys: Sequence[Key], gpus: list[int]) -> None:
        self._gpus = gpus
        self._job_at = sorted(range(len(keys)), key=keys.__getitem__)
        self._rank = [0] * len(keys)
        for rank, job in enumerate(self._job_at):
            self._rank[job] = rank
        self.ranks: list[int] = []
        self._by_gpus: dict[int, list[int]] = {}
        self._sizes: list[int] = []  # the sizes that someone waits for, ascending

    def __len__(self) -> int:
        return len(self.ranks)

    def __iter__(self) -> Iterator[int]:
        job_at = self._job_at
        return iter([job_at[rank] for rank in self.ranks])

    def head(self) -> int:
        """Return the job that is served next."""
        return self._job_at[self.ranks[0]]

    def smallest(self) -> int:
        """Return the fewest GPUs that a waiting job asks for."""
        return self._sizes[0]

    def add(self, job: int) -> None:
        """Let ``job`` wait."""
        rank, size = self._rank[job], self._gpus[job]
        ranks = self.ranks
        if not ranks or ranks[-1] < rank:
            ranks.append(rank)
        else:
            insort(ranks, rank)
        same = self._by_gpus.get(size)
        if not same:
            self._by_gpus[size] = [rank]
            insort(self._sizes, size)
        elif same[-1] < rank:
            same.append(rank)
        else:
            insort(same, rank)

    def remove(self, job: int) -> None:
        """Let ``job`` wait no longer."""
        rank, size = self._rank[job], self._gpus[job]
        ranks, same = self.ranks, self._by_gpus[size]
        del ranks[bisect_left(ranks, rank)]
        del same[bisect_left(same, rank)]
        if not same:
            del self._sizes[bisect_left(self._sizes, size)]

    def behind_the_head(self, gpus: int) -> list[int]:
        """Return the jobs behind the head that ask for at most ``gpus``, in order."""
        ranks: list[int] = []
        for size in self._sizes[: bisect_right(self._sizes, gpus)]:
            ranks.extend(self._by_gpus[size])
        ranks.sort()
        if ranks and ranks[0] == self.ranks[0]:
            del ranks[0]
        job_at = self._job_at
        return [job_at[rank] for rank in ranks]

    def reorder(self, keys: dict[int, Key]) -> None:
        """Serve the waiting jobs by ``keys`` from now on (for orders that change with time)."""
        jobs = sorted(self, key=keys.__getitem__)
        self._by_gpus, self._sizes = {}, []
        for rank, job in zip(self.ranks, jobs, strict=True):
            self._job_at[rank], self._rank[job] = job, rank
            self._by_gpus.setdefault(self._gpus[job], []).append(rank)
        self._sizes = sorted(self._by_gpus)
