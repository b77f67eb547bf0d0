"""The event log: its columns, what its rows say, and why an attempt was cut short."""

from __future__ import annotations

from enum import IntEnum
from struct import Struct

COLUMNS = ("time_ms", "kind", "job", "a", "b")

row_of = Struct("=5q").pack
"""Return a row as bytes: an array takes them in half the time of five numbers."""


class Event(IntEnum):
    """What a row of the log says; its two numbers ``a`` and ``b`` in brackets.

    The last PLACE or SHARE rows before a START say where that attempt runs; END
    or INTERRUPT closes it. Rows from INTERRUPT on are written only in runs with a
    mechanism that needs them. Work is in ms of the whole gang at the speed for which
    its run time was given, so GPU-ms are that times the gang's GPUs. Of a job
    that ended the kept work of all its WORK rows adds up to its run time; a row keeps
    less than nothing when work that earlier attempts had handed on unsaved is lost. Rows
    about nodes or the whole fleet have job -1.
    """

    SUBMIT = 1
    PLACE = 2  # (node, the GPUs' bits, or their count in a pool)
    SHARE = 3  # (node, GPU * 1000 + thousandths taken - 1)
    START = 4  # (expected end ms, how much slower than given in parts per million)
    END = 5
    REFUSE = 6  # (Refusal, the job that stands in the way or -1)
    RESERVE = 7  # (the time promised to the head, 0)
    REJECT = 8  # (Refusal, 0): no fleet of this shape could run it
    DROP = 9  # (node, 0): dispatched to a device that cannot run it
    INTERRUPT = 10  # (Cause, the job or node behind it or -1): gives back all it holds
    WORK = 11  # (work ms kept, work ms lost) by the attempt that ends or is interrupted next
    RETIME = 12  # (expected end ms, parts per million slower than given from now on)
    LOOSEN = 13  # (the span it accepts from now on, 0): patience is over
    NODE_DOWN = 14  # (node, Cause)
    NODE_UP = 15  # (node, 0)
    NOTICE = 16  # (node, the time it will go)
    SAVE = 17  # (work ms not yet saved, ms it takes): a checkpoint in a panic
    DEADLOCK = 18  # (jobs that hold GPUs and wait for more, GPUs they hold)
    MIGRATE = 19  # (GPUs moved to make room for the job, ms until that pays)
    OVERDUE = 20  # (ms waited since it came or was interrupted, 0): nobody may pass it any more
    STOP = 21  # (0, 0): the user's own policy was stopped, and the run with it


class Cause(IntEnum):
    """Why an attempt was cut short, or a node went."""

    PRIORITY = 1  # a job that goes before it needs its GPUs
    QUOTA = 2  # its tenant had borrowed them
    SPOT = 3  # the provider took the node back
    FAILURE = 4  # the node failed
    MIGRATION = 5  # moved, so that a gang fits
    RESIZE = 6  # goes on at once with more nodes, or with fewer
