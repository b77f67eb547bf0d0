"""The command ``fleetlab``: one module a subcommand, imported when it is asked for.

A subcommand is a module with ``add_arguments(parser)`` and ``run(args, out, err)``,
which returns the exit code: 0 done, 1 a check failed, 2 the input is bad. To add
one, name it in ``COMMANDS``. Bad input is raised as ValueError or OSError with
one sentence, and printed here in one line.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from fleetlab import __version__

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

COMMANDS = {
    "replay": "replay a trace of real jobs on a fleet, and print what they waited",
    "run": "run a Scenario and print its figures, on one seed or many, alone or against another",
    "why": "say in one sentence why a job of a Scenario waits at a time",
    "diff": "say where two Scenarios with the same jobs part",
    "sweep": "run a grid of Scenarios over processes or a Dask cluster, a row each",
    "summary": "print a sweep's means over its seeds, with their confidence intervals",
    "pack": "fill a cluster with shared GPUs until nothing more fits",
    "verify": "run a ledger's Scenarios again and say which of its figures hold",
    "grade": "turn ledgers into a class table, and into a page of what was predicted",
}


class _Parser(argparse.ArgumentParser):
    """A parser that complains in one line."""

    def error(self, message: str) -> NoReturn:
        message = message.removeprefix("argument ")
        print(f"{self.prog}: {message}; see {self.prog} --help", file=sys.stderr)
        raise SystemExit(BAD_INPUT)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (without the program's name) and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = words[0] if words else ""
    try:
        if name in COMMANDS:
            code = _run(name, words[1:])
        elif name in ("-h", "--help"):
            code = _say(_usage(), DONE)
        elif name == "--version":
            code = _say(f"fleetlab {__version__}", DONE)
        else:
            wrong = f"there is no command {name[:40]!r}" if name else "no command is given"
            print(f"fleetlab: {wrong}; choose from {', '.join(COMMANDS)}", file=sys.stderr)
            return BAD_INPUT
        sys.stdout.flush()
        return code
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else FAILED
    except BrokenPipeError:
        # What is still in the buffer has nowhere to go; without this Python would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _complain(name, "nobody reads the output any more, so it was cut short")
    except KeyboardInterrupt:
        _complain(name, "interrupted")
        return INTERRUPTED
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _complain(name, f"{where}{error.strerror or error}")
    except ValueError as error:
        return _complain(name, str(error))


def _run(name: str, words: list[str]) -> int:
    command = import_module(f"{__name__}.{name}")
    parser = _Parser(
        prog=f"fleetlab {name}", description=command.__doc__, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    command.add_arguments(parser)
    code = command.run(parser.parse_args(words), sys.stdout, sys.stderr)
    return int(code)


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {summary}" for name, summary in COMMANDS.items()]
    return "\n".join(
        [
            "usage: fleetlab COMMAND … (fleetlab COMMAND --help says more)",
            "",
            *lines,
            "",
            "exit code: 0 done, 1 a check failed, 2 the input is bad",
        ]
    )


def _say(text: str, code: int) -> int:
    print(text)
    return code


def _complain(name: str, sentence: str) -> int:
    print(f"fleetlab {name}: {' '.join(sentence.split())}", file=sys.stderr)
    return BAD_INPUT
