"""Who may import whom, read from the source without running it.

fleet, job -> policy, network, workloads -> engine -> scenario, missions -> run, metrics, analysis
-> services -> sweeps, prose, peek -> ledger -> app, cli: what stands right may import what stands
left, and a room never one that imports it.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "fleetlab"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Layers from the left; a module or room not named here may import any but the app and the command.
LAYERS = [
    {"fleet", "job", "log", "attempt", "wording", "outside", "progress", "statistics"},
    {"policy", "network", "theory", "workloads"},
    {"engine"},
    {"missions", "terms", "scenario"},
    {"run", "metrics", "analysis"},
    {"simulate", "replay", "services", "figures"},
    {"sweeps", "prose", "peek"},
    {"ledger"},
]
LAST = {"app", "cli", "__main__"}
NUMPY = {"numpy"}
MAKE_GENERATORS = {"default_rng", "Generator", "BitGenerator", "PCG64", "SeedSequence", "Random"}


def imports_of(path: Path) -> list[str]:
    """Return the dotted names that the module at ``path`` imports, wherever it does so.

    What is imported only for type checking is left out: it is not there at run time.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            typing_only.update(id(inner) for child in node.body for inner in ast.walk(child))
    names: list[str] = []
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: write fleetlab.… in full"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def part_of(path: Path) -> str:
    """Return the module or subpackage of fleetlab that ``path`` belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def fleetlab_parts(names: list[str]) -> set[str]:
    return {name.split(".")[1] for name in names if name.startswith("fleetlab.")}


def named(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_nothing_outside_the_app_imports_panel_or_bokeh(path: Path) -> None:
    if part_of(path) == "app":
        return
    tops = {name.split(".")[0] for name in imports_of(path)}
    assert not tops & {"panel", "bokeh", "param", "pyviz_comms"}


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_nothing_calls_linear_algebra_which_a_page_opens_without(path: Path) -> None:
    # Its code is compiled last (builder/snapshot.mjs), and that of Fourier transforms is left out.
    names = {
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
    }
    assert not names & {"linalg", "fft", "polyfit", "roots", "matrix_rank", "multivariate_normal"}


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_nothing_but_the_host_touches_the_browser(path: Path) -> None:
    if named(path) == "app/host.py":
        return
    tops = {name.split(".")[0] for name in imports_of(path)}
    assert not tops & {"js", "pyodide", "pyodide_js"}


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_imports_point_only_to_the_left(path: Path) -> None:
    part = part_of(path)
    if part in LAST:
        return
    used = fleetlab_parts(imports_of(path)) - {"__version__"}
    # the app and the command are started from the outside only
    assert not used & {"app", "cli", "__main__"}
    for layer, members in enumerate(LAYERS):
        if part in members:
            known = set().union(*LAYERS[: layer + 1])
            assert used <= known, f"{named(path)} imports {sorted(used - known)} to its right"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_numpy_is_the_only_run_time_dependency_outside_the_app(path: Path) -> None:
    if part_of(path) == "app":
        return
    tops = {name.split(".")[0] for name in imports_of(path)}
    foreign = tops - {"fleetlab"} - set(sys.stdlib_module_names) - NUMPY
    assert foreign <= ({"distributed"} if named(path) == "sweeps/workers.py" else set())


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_no_module_draws_from_a_global_generator_or_imports_by_star(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            assert all(alias.name != "*" for alias in node.names)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("random", "np.random"):
            assert node.attr in MAKE_GENERATORS, f"line {node.lineno} uses {ast.unparse(node)}"
