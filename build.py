"""Builds, serves, tests and measures fleetlab: `python3 build.py serve | build | test | bench`.

Needs Python 3.11 or newer and nothing else; everything it uses it fetches by lock. The work is
done in `builder/`, whose first step is to re-run this file inside an environment of its own.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  an older Python is what this is for
    sys.exit(f"fleetlab needs Python 3.11 or newer; this is {sys.version.split()[0]}.")

from builder.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
