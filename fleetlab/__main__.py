"""``python -m fleetlab``: the same program as the command ``fleetlab``."""

import sys

from fleetlab.cli import main

if __name__ == "__main__":
    sys.exit(main())
