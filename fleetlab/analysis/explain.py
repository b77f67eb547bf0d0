"""Why a job waits, in one sentence, from the event log."""

from __future__ import annotations

import numpy as np

from fleetlab.fleet import Fleet
from fleetlab.job import BLOCK, NODE
from fleetlab.log import Cause, Event
from fleetlab.policy.refusal import Refusal
from fleetlab.policy.settings import FOREVER_MS
from fleetlab.policy.shape import Shape
from fleetlab.run import NEVER, Run, State
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
    rejected = run.row_of(job, Event.REJECT)
    if rejected is not None:
        asked = asks_for(run.shape_of(job), run.fleet)
        reason = {
            Refusal.OVER_QUOTA: "its tenant may never hold that much",
            Refusal.TOO_LITTLE_MEMORY: "the fleet has less memory than it needs",
        }.get(Refusal(int(rejected[3])), "the fleet has no such place")
        return f"{name} can never run here: it asks for {asked}, and {reason}."
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
    if 0 <= run.start_ms[job] <= time_ms and run.runs_at(job, time_ms):
        return _running(run, job, name, time_ms) + _slowness(run, job, time_ms)
    return _waiting(run, job, name, time_ms) + _interruption(run, job, time_ms)


def asks_for(shape: Shape, fleet: Fleet) -> str:
    """Return what a gang asks for, in words: ``8 GPUs in one node``."""
    if fleet.class_counts:
        classes = len(fleet.class_counts)
        if shape.gpus > 1:
            level = f" of class V{shape.needs_class + 1}"
            better = " or better" if 0 < shape.needs_class < classes - 1 else ""
            where = " in one group" if shape.span == BLOCK else ""
            return f"{shape.gpus} devices{level * bool(shape.needs_class)}{better}{where}"
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


def waits_for(run: Run, job: int, time_ms: int) -> str:
    """Return what a waiting job asks for at ``time_ms``, in words, and whether it holds out."""
    asked = asks_for(run.shape_of(job), run.fleet)
    if _refusal(run, job, time_ms) == Refusal.HOLDING_OUT_FOR_LOCALITY:
        return f"{asked.removesuffix(' anywhere')}, holding out for a closer place"
    return asked


def _refusal(run: Run, job: int, time_ms: int) -> Refusal:
    row = run.row_of(job, Event.REFUSE, time_ms)
    return Refusal(int(row[3])) if row is not None else Refusal.NONE


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
    minutes = promised_ms // 60_000 - now_ms // 60_000  # as the two clocks that stand beside it
    return f"by {clock(promised_ms)}, in {duration(60 * minutes)}"


def _running(run: Run, job: int, name: str, time_ms: int) -> str:
    spans = run.spans
    here = (spans.job == job) & (spans.begin_ms <= time_ms) & (spans.end_ms > time_ms)
    nodes = sorted({int(n) for n in spans.node[here]})
    blocks = sorted({run.fleet.block_of(node) for node in nodes})
    where = f"{plural(len(nodes), 'node')} in {plural(len(blocks), 'block')}"
    if len(nodes) == 1:
        where = f"node {nodes[0] % run.fleet.nodes_per_block + 1} of block {blocks[0] + 1}"
    waited = duration(run.wait_ms[job] / 1000)
    until = int(spans.end_ms[here].max()) if here.any() else NEVER
    end = f" until {clock(until)}" if until != NEVER else ""
    begun = run.row_of(job, Event.START, time_ms)
    start = int(begun[0]) if begun is not None else int(run.start_ms[job])
    asked = plural(int(run.jobs.gpus[job]), "device" if run.fleet.class_counts else "GPU")
    return f"{name} runs: {asked} on {where}, from {clock(start)}{end}; it waited {waited}."


def _slowness(run: Run, job: int, time_ms: int) -> str:
    """Return how much slower than it could a job runs where it lies; nothing if it does not."""
    begun = run.row_of(job, Event.START, time_ms)
    changed = run.row_of(job, Event.RETIME, time_ms)
    if begun is None:
        return ""
    late = changed is not None and changed[0] >= begun[0]
    ppm = int((changed if late and changed is not None else begun)[4])
    if ppm <= 0:
        return ""
    return f" Lying so far apart, it takes {ppm / 10_000:.0f} % longer than on one block."


def _interruption(run: Run, job: int, time_ms: int) -> str:
    """Return what last cut the job short, if it had begun; else nothing."""
    row = run.row_of(job, Event.INTERRUPT, time_ms)
    if row is None:
        return ""
    cause, behind = Cause(int(row[3])), int(row[4])
    if cause == Cause.RESIZE:
        return ""
    by = run.jobs.name(behind) if behind >= 0 else ""
    reason = {
        Cause.PRIORITY: f"job {by} goes before it",
        Cause.QUOTA: f"its tenant had borrowed the GPUs that job {by} is owed",
        Cause.SPOT: f"the provider took node {behind + 1} back",
        Cause.FAILURE: f"node {behind + 1} failed",
        Cause.MIGRATION: f"it was moved to make room for job {by}",
    }[cause]
    work = run.row_of(job, Event.WORK, int(row[0]))
    lost = int(work[4]) if work is not None else 0
    price = f", and {duration(lost / 1000)} of its work was lost" if lost else ""
    return f" It was running until {clock(int(row[0]))}: {reason}{price}."


def _waiting(run: Run, job: int, name: str, time_ms: int) -> str:
    state = run.state_at(time_ms)
    shape = run.shape_of(job)
    place = state.waiting.index(job) if job in state.waiting else 0
    asked = asks_for(shape, run.fleet)
    found = what_is_free(shape, state, run.fleet)
    reason = _refusal(run, job, time_ms)
    owner = _owner_waits(run, job, reason)
    if owner:
        return f"{name} waits for {asked}: {found}, {owner}."
    if reason == Refusal.POLICY_LETS_IT_WAIT:
        return f"{name} waits for {asked}: {found}, and the policy's own function lets it wait."
    if reason == Refusal.HOLDS_AND_WAITS:
        return _holding(run, job, name, time_ms)
    if reason == Refusal.HOLDING_OUT_FOR_LOCALITY:
        return (
            f"{name} asks for {plural(shape.gpus, 'GPU')} and could start now, spread more widely: "
            f"{found}. It holds out for a closer place, {_patience(run)}."
        )
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
    if run.metrics.unstable and place:
        behind = " The queue grows to the end of the run: more is asked for than can be placed."
    else:
        behind = ""
    overdue = run.row_of(job, Event.OVERDUE, time_ms)
    if overdue is not None:
        return f"{name} waits for {asked}: {found}. It has waited so long that nobody may pass it."
    if not place:
        when = f" It will start {by}, if running jobs keep to their estimates." if by else ""
        return f"{name} waits for {asked}: {found}. It is the head of the queue.{when}"
    if run.policy.backfill == "skip":
        return f"{name} waits for {asked}: {found}. Whoever fits may pass it.{behind}"
    return f"{name} waits for {asked}: {found}. It is {ordinal(place + 1)} in the queue.{behind}"


def _owner_waits(run: Run, job: int, reason: Refusal) -> str:
    """Return why the job's owner has to wait, if the reason is with the owner; else nothing."""
    tenant = int(run.jobs.tenant[job])
    if reason == Refusal.OVER_QUOTA:
        quota = run.policy.quota[tenant]
        rule = {
            "hard": "which is hard",
            "borrowable": "and nobody leaves it enough to borrow",
            "reclaimable": "and nobody leaves it enough to borrow",
        }[run.policy.quota_rule]
        return f"but its tenant {tenant + 1} would go over its quota of {quota} GPUs, {rule}"
    if reason == Refusal.TOO_LITTLE_MEMORY:
        return "but the fleet's memory is taken"
    return ""


def _patience(run: Run) -> str:
    patience_ms = run.policy.patience_ms
    if patience_ms >= FOREVER_MS:
        return "for ever if need be"
    return f"for {duration(patience_ms / 1000)} at each step"


def _holding(run: Run, job: int, name: str, time_ms: int) -> str:
    """Return what a job that takes its GPUs piece by piece has, lacks and blocks."""
    spans = run.spans
    here = (spans.job == job) & (spans.begin_ms <= time_ms) & (spans.end_ms > time_ms)
    held = sum(
        int(bits).bit_count() if run.fleet.numbered else int(bits) for bits in spans.what[here]
    )
    wanted = int(run.jobs.gpus[job])
    stuck = run.log[(run.log[:, 1] == Event.DEADLOCK) & (run.log[:, 0] <= time_ms)]
    sentence = (
        f"{name} holds {held} of the {wanted} GPUs it needs, idle, and waits for "
        f"{wanted - held} more."
    )
    if len(stuck):
        jobs, gpus = int(stuck[-1, 3]), int(stuck[-1, 4])
        sentence += (
            f" Deadlock: {plural(jobs, 'job')} hold {gpus} GPUs and wait for each other, "
            f"so none will ever run."
        )
    return sentence
