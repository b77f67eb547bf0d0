"""Why a job waits, in one sentence, from the event log."""

from __future__ import annotations

import numpy as np

from fleetlab.engine import Event
from fleetlab.fleet import Fleet
from fleetlab.job import BLOCK, NODE
from fleetlab.policy.placement import Refusal, Shape
from fleetlab.run import Run, State
from fleetlab.wording import clock, duration, ordinal, plural


def explain(run: Run, job: int, time_ms: int) -> str:
    """Return what ``job`` does at ``time_ms`` and, if it waits, what it waits for.

    Raises ValueError for a job that is not in the run.
    """
    if not 0 <= job < len(run.jobs):
        raise ValueError(f"job: {job} is not one of the {len(run.jobs)} jobs of this run")
    name = f"Job {run.jobs.name(job)}"
    submit = int(run.jobs.submit_ms[job])
    if time_ms < submit:
        return f"{name} is not there yet: it is submitted on {clock(submit)}."
    if run.row_of(job, Event.REJECT) is not None:
        asked = asks_for(run.shape_of(job), run.fleet)
        return f"{name} can never run here: it asks for {asked}, and the fleet has no such place."
    dropped = run.row_of(job, Event.DROP)
    if dropped is not None and dropped[0] <= time_ms:
        device = run.fleet.class_of(int(dropped[3]))
        return (
            f"{name} was dropped on {clock(int(dropped[0]))}: it was sent to a device of class "
            f"V{device + 1}, and it needs V{int(run.jobs.needs_class[job]) + 1}."
        )
    if 0 <= run.end_ms[job] <= time_ms:
        return (
            f"{name} ended on {clock(int(run.end_ms[job]))}; it had waited "
            f"{duration(run.wait_ms[job] / 1000)}."
        )
    if 0 <= run.start_ms[job] <= time_ms:
        return _running(run, job, name)
    return _waiting(run, job, name, time_ms)


def asks_for(shape: Shape, fleet: Fleet) -> str:
    """Return what a gang asks for, in words: ``8 GPUs in one node``."""
    if fleet.class_counts:
        classes = len(fleet.class_counts)
        if shape.needs_class == 0:
            return "any device"
        if shape.needs_class == classes - 1:
            return f"a V{classes} device"
        return f"a device of class V{shape.needs_class + 1} or better"
    if shape.gpu_milli < 1000:
        return f"{shape.gpu_milli / 10:g} % of one GPU"
    if shape.whole_nodes:
        nodes = plural(-(-shape.gpus // fleet.gpus_per_node), "whole node")
        where = " in one leaf block" if shape.span == BLOCK else ""
        return f"{plural(shape.gpus, 'GPU')} as {nodes}{where}"
    if shape.gpus == 1:
        return "one GPU"
    where = {NODE: "in one node", BLOCK: "in one leaf block"}.get(shape.span, "anywhere")
    return f"{plural(shape.gpus, 'GPU')} {where}"


def what_is_free(shape: Shape, state: State, fleet: Fleet) -> str:
    """Return what is free, as far as it matters to ``shape``.

    As in ``11 are free, the most in one node is 5``.
    """
    free = state.free
    total = int(free.sum())
    if fleet.class_counts:
        able = np.array([fleet.class_of(node) >= shape.needs_class for node in range(fleet.nodes)])
        fit = int(free[able].sum())
        if not total:
            return "none is free"
        verb = "is" if total == 1 else "are"
        return f"{plural(total, 'device')} {verb} free, {fit or 'none'} of them able to run it"
    verb = "is" if total == 1 else "are"
    found = f"{total or 'none'} {verb} free" if total else "none is free"
    if not total or total < shape.gpus:
        return found
    by_block = free.reshape(fleet.blocks, -1)
    whole_by_block = (by_block == fleet.gpus_per_node).sum(axis=1)
    if shape.whole_nodes and shape.span == BLOCK:
        return f"{found}, and the most whole nodes in one block is {int(whole_by_block.max())}"
    if shape.whole_nodes:
        whole = int(whole_by_block.sum())
        if not whole:
            return f"{found}, and no node is whole"
        return f"{found}, and {plural(whole, 'node')} {'is' if whole == 1 else 'are'} whole"
    if shape.span == NODE:
        return f"{found}, the most in one node is {int(free.max())}"
    if shape.span == BLOCK:
        return f"{found}, the most in one block is {int(by_block.sum(axis=1).max())}"
    return found


def _by(promised_ms: int, now_ms: int) -> str:
    """Return when a promise is due, as near as a reader needs it."""
    if promised_ms - now_ms < 60_000:
        return "within a minute"
    return f"by {clock(promised_ms)}, in {duration((promised_ms - now_ms) / 1000)}"


def _running(run: Run, job: int, name: str) -> str:
    spans = run.spans
    nodes = sorted({int(n) for n in spans.node[spans.job == job]})
    blocks = sorted({run.fleet.block_of(node) for node in nodes})
    where = f"{plural(len(nodes), 'node')} in {plural(len(blocks), 'block')}"
    if len(nodes) == 1:
        where = f"node {nodes[0] % run.fleet.nodes_per_block + 1} of block {blocks[0] + 1}"
    waited = duration(run.wait_ms[job] / 1000)
    end = f" until {clock(int(run.end_ms[job]))}" if run.end_ms[job] >= 0 else ""
    asked = plural(int(run.jobs.gpus[job]), "device" if run.fleet.class_counts else "GPU")
    return (
        f"{name} runs: {asked} on {where}, from {clock(int(run.start_ms[job]))}{end}; "
        f"it waited {waited}."
    )


def _waiting(run: Run, job: int, name: str, time_ms: int) -> str:
    state = run.state_at(time_ms)
    shape = run.shape_of(job)
    place = state.waiting.index(job) if job in state.waiting else 0
    asked = asks_for(shape, run.fleet)
    found = what_is_free(shape, state, run.fleet)
    row = run.row_of(job, Event.REFUSE, time_ms)
    reason = Refusal(int(row[3])) if row is not None else Refusal.NONE
    if place and run.policy.backfill == "none":
        head = state.waiting[0]
        return (
            f"{name} is {ordinal(place + 1)} in the queue and waits behind the head, job "
            f"{run.jobs.name(head)}, which waits for {asks_for(run.shape_of(head), run.fleet)}: "
            f"{what_is_free(run.shape_of(head), state, run.fleet)}. Strict FIFO lets nobody pass."
        )
    if reason == Refusal.WOULD_DELAY_THE_HEAD and place:
        head = state.waiting[0]
        return (
            f"{name} waits for {asked}: {found}, but it would run past the time promised to the "
            f"head of the queue, job {run.jobs.name(head)}, and take what that job needs."
        )
    promised = run.row_of(job, Event.RESERVE, time_ms)
    by = _by(int(promised[3]), time_ms) if promised is not None else ""
    if reason == Refusal.RESERVED_LATER:
        when = f" It is promised a start {by}." if by else ""
        return f"{name} waits for {asked}: {found}, and jobs ahead of it have what is left.{when}"
    if not place:
        when = f" It will start {by}, if running jobs keep to their estimates." if by else ""
        return f"{name} waits for {asked}: {found}. It is the head of the queue.{when}"
    if run.policy.backfill == "skip":
        return f"{name} waits for {asked}: {found}. Whoever fits may pass it."
    return f"{name} waits for {asked}: {found}. It is {ordinal(place + 1)} in the queue."
