"""Tasks that a test gives to worker processes, which import them from here."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def obey(task: str) -> str:
    """Do what ``task`` says: ``die``, ``die once FILE``, ``raise`` or anything that comes back.

    Whoever is to die once leaves FILE behind, and lives when it is there.
    """
    if task == "raise":
        raise ValueError("this task\nhas no result")
    if task == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if task.startswith("die once "):
        mark = Path(task.removeprefix("die once "))
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return task.upper()
