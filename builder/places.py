"""Where things are: the checkout, what a build leaves in it, and the cache that outlives it."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / ".build"
DIST = ROOT / "dist"


def cache_folder() -> Path:
    """Return the folder kept between checkouts: FLEETLAB_CACHE, or the user's own cache."""
    chosen = os.environ.get("FLEETLAB_CACHE")
    if chosen:
        return Path(chosen).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "fleetlab"


def mirror_folder() -> Path | None:
    """Return the local mirror folder named by FLEETLAB_MIRROR, if there is one."""
    chosen = os.environ.get("FLEETLAB_MIRROR")
    return Path(chosen).expanduser().resolve() if chosen else None
