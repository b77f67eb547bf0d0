"""Placement rules as a reader writes them, for the page, the engine and the ledger alike."""

from __future__ import annotations

HOLDS_OUT = """def place(job, free):
    for block, nodes in enumerate(free):
        if sum(nodes) >= job.gpus:
            parts = []
            wanted = job.gpus
            for node, room in enumerate(nodes):
                taken = min(room, wanted)
                if taken:
                    parts.append((block, node, taken))
                    wanted -= taken
            return parts
    return None
"""
"""A placement rule: one block, or wait."""

ENDLESS = """def place(job, free):
    while True:
        pass
"""
"""A hostile rule: it never answers."""

LABORIOUS = """def place(job, free):
    for turn in range(20000):
        pass
    return None
"""
"""A hostile rule: it answers each time, after as much work as it may do, and does it again."""
