"""A first-come-first-served cluster in SimPy, as its documentation would write one.

    python simpy_peer.py JOBS.json PROCESSORS resource|container

A job is a process. SimPy's guide to shared resources has a Resource for what a limited
number of processes use at a time and then release, which is what a processor is: a job
requests its processors, waits for all of them, holds them and releases them. Its Container
is for what is produced and consumed, a tank of fuel say: a job gets an amount and puts it
back, which is less work and tells no processors apart. Prints how long the process worked
and the starts, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Generator
from typing import Any

import simpy

Rows = list[tuple[int, int, int]]
Process = Generator[Any, Any, None]


def with_resource(rows: Rows, processors: int) -> list[int]:
    """Return the start of every (submit, run time, processors), a request a processor."""
    env = simpy.Environment()
    cluster = simpy.Resource(env, capacity=processors)
    starts = [-1] * len(rows)

    def job(number: int, submit: int, runtime: int, wanted: int) -> Process:
        yield env.timeout(submit)
        requests = [cluster.request() for _ in range(wanted)]
        yield env.all_of(requests)
        starts[number] = env.now
        yield env.timeout(runtime)
        for request in requests:
            cluster.release(request)

    for number, row in enumerate(rows):
        env.process(job(number, *row))
    env.run()
    return starts


def with_container(rows: Rows, processors: int) -> list[int]:
    """Return the start of every (submit, run time, processors), an amount a job."""
    env = simpy.Environment()
    cluster = simpy.Container(env, capacity=processors, init=processors)
    starts = [-1] * len(rows)

    def job(number: int, submit: int, runtime: int, wanted: int) -> Process:
        yield env.timeout(submit)
        yield cluster.get(wanted)
        starts[number] = env.now
        yield env.timeout(runtime)
        yield cluster.put(wanted)

    for number, row in enumerate(rows):
        env.process(job(number, *row))
    env.run()
    return starts


def main() -> None:
    """Run the jobs once and print {cpu_s, starts}."""
    with open(sys.argv[1]) as file:
        rows = json.load(file)
    simulate = {"resource": with_resource, "container": with_container}[sys.argv[3]]
    began = time.process_time()
    starts = simulate(rows, int(sys.argv[2]))
    print(json.dumps({"cpu_s": time.process_time() - began, "starts": starts}))


if __name__ == "__main__":
    main()
