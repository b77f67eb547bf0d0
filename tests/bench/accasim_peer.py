"""AccaSim on a log, in its own environment: prints how long its process worked, as JSON.

    python accasim_peer.py WORKLOAD.swf fifo|easy PROCESSORS

Its machine is as the header of the log says: as many nodes as processors, one each.
Its times of start are read from the schedule it writes.
"""

from __future__ import annotations

import collections
import collections.abc
import json
import logging
import os
import sys
import tempfile
import time
from datetime import datetime

collections.Mapping = collections.abc.Mapping  # it predates the move of this name
logging.disable(logging.INFO)
os.environ["TZ"] = "UTC"
if hasattr(time, "tzset"):
    time.tzset()

from accasim.base.allocator_class import FirstFit  # noqa: E402
from accasim.base.scheduler_class import EASYBackfilling, FirstInFirstOut  # noqa: E402
from accasim.base.simulator_class import Simulator  # noqa: E402


def main() -> None:
    """Run the log once and print {cpu_s, starts}."""
    workload, name, processors = os.path.abspath(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("system.json", "w") as file:
            json.dump(
                {
                    "groups": {"all": {"core": 1}},
                    "resources": {"all": processors},
                    "start_time": 0,
                    "equivalence": {"processor": {"core": 1}},
                },
                file,
            )
        dispatcher = {"fifo": FirstInFirstOut, "easy": EASYBackfilling}[name](FirstFit())
        began = time.process_time()
        simulator = Simulator(
            workload,
            os.path.abspath("system.json"),
            dispatcher,
            RESULTS_FOLDER_NAME=folder,
            statistics_output=False,
            show_statistics=False,
        )
        files = simulator.start_simulation()
        cpu_s = time.process_time() - began
        starts = {}
        with open(next(iter(files.values()))) as file:
            for line in file:
                job, start = line.split(";", 1)[0], line.rsplit("__", 1)[1].split(";")[0]
                starts[job] = round(
                    (datetime.fromisoformat(start) - datetime(1970, 1, 1)).total_seconds()
                )
        os.chdir("/")
    print(json.dumps({"cpu_s": cpu_s, "starts": starts}))


if __name__ == "__main__":
    main()
