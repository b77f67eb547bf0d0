"""The command line of the build."""

import argparse

from . import environment
from .places import ROOT
from .say import BuildError, say

DEFAULT_PORT = 8000


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code; what goes wrong is one sentence."""
    chosen, rest = parser().parse_known_args(arguments)
    if rest and chosen.command not in ("test", "bench"):
        parser().error(f"unknown argument: {rest[0]}")
    try:
        name = "test" if chosen.command in ("test", "bench") else "build"
        code = environment.enter(name, arguments)
        return run(chosen, rest) if code is None else code
    except BuildError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("")
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of `build.py`."""
    top = argparse.ArgumentParser(
        prog="build.py",
        description="Builds, serves, tests and measures fleetlab. With no command: serve.",
    )
    commands = top.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="build the site and serve it on this machine")
    serve.add_argument("--port", type=int, default=None, help=f"default {DEFAULT_PORT}")
    serve.add_argument("--no-open", action="store_true", help="open no browser")
    commands.add_parser("build", help="build the site into dist/")
    commands.add_parser("test", help="check and test everything; more arguments go to pytest")
    bench = commands.add_parser("bench", help="measure against peers, in ratios")
    kinds = ["startup", "engine", "endurance"]
    bench.add_argument("what", nargs="?", choices=kinds, default="startup")
    return top


def run(chosen: argparse.Namespace, rest: list[str]) -> int:
    """Run the chosen command inside its environment."""
    if chosen.command == "build":
        from .assemble import build

        build()
        return 0
    if chosen.command == "serve":
        from .assemble import build
        from .serve import serve

        folder = build()
        return serve(folder, chosen.port or DEFAULT_PORT, not chosen.no_open)
    if chosen.command == "test":
        from .check import test

        return test(rest)
    if chosen.what in ("engine", "endurance"):
        from .bench import in_tests

        return in_tests(chosen.what, ROOT, rest)
    from .bench import startup

    return startup(rest)
