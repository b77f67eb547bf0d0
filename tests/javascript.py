"""Functions of the page's modules that need no page, called through the locked Node."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from builder.node import node_program
from builder.say import BuildError

SITE = Path(__file__).resolve().parents[1] / "site"


def evaluate(module: str, expression: str, *values: Any) -> Any:
    """Return what an expression over `m` (a module of site/) and `v` (the values) gives."""
    try:
        node = node_program()
    except BuildError as error:
        pytest.skip(f"the locked Node is not here: {error}")
    script = f"""
        import * as m from {json.dumps((SITE / module).as_uri())};
        import {{ readFileSync }} from "node:fs";
        const v = JSON.parse(readFileSync(0, "utf8"));
        console.log(JSON.stringify({expression} ?? null));
    """
    done = subprocess.run(
        [str(node), "--input-type=module", "--eval", script],
        input=json.dumps(values), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)
