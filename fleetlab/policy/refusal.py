"""Why a job was not started."""

from __future__ import annotations

from enum import IntEnum


class Refusal(IntEnum):
    """Why a job was not started; the reason is kept in the event log."""

    NONE = 0
    TOO_FEW_FREE = 1
    NO_NODE_HOLDS_IT = 2
    NO_BLOCK_HOLDS_IT = 3
    TOO_FEW_WHOLE_NODES = 4
    NO_CAPABLE_DEVICE = 5
    BEHIND_THE_HEAD = 6
    WOULD_DELAY_THE_HEAD = 7
    RESERVED_LATER = 8
    TOO_LARGE_FOR_THE_FLEET = 9
    HOLDING_OUT_FOR_LOCALITY = 10
    OVER_QUOTA = 11
    NOT_CAPABLE = 12
    TOO_LITTLE_MEMORY = 13
    HOLDS_AND_WAITS = 14
    POLICY_LETS_IT_WAIT = 15


OF_THE_OWNER = (Refusal.OVER_QUOTA, Refusal.TOO_LITTLE_MEMORY)
"""Refusals that are about one job and its tenant, and not about its shape."""
