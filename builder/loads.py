"""Loads of a page in a browser: when it was painted and live, what it took, when it answers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .drive import Browser, Tab
from .link import Link
from .say import BuildError
from .serve import open_server

PATIENCE_MS = 180_000
BLANK = "about:blank"
LAB_QUERY = "?track=titan&part=1"
KNOB = "Strict FIFO"  # one of the disciplines of Part 1's workbench, and not the one in force

# What an expression below may use: seek(text) returns the visible element with that text, in
# whatever shadow tree it stands; until(is) waits, frame by frame, until is() holds.
HELP = f"""
  const KNOB = {json.dumps(KNOB)};
  const root = document.documentElement;
  const visit = (within, text) => {{
    for (const element of within.querySelectorAll("*")) {{
      const inside = element.shadowRoot && visit(element.shadowRoot, text);
      if (inside) return inside;
      const own = !element.childElementCount && element.textContent.trim() === text;
      if (own && element.checkVisibility()) return element;
    }}
    return null;
  }};
  const seek = (text) => visit(document, text);
  const marked = (name) => performance.getEntriesByName("fleetlab:" + name)[0]?.startTime;
  const until = (is) => new Promise((resolve, reject) => {{
    const began = performance.now();
    const look = () => {{
      const found = is();
      if (found) resolve(found);
      else if (performance.now() - began > {PATIENCE_MS}) reject(new Error("never: " + is));
      else requestAnimationFrame(look);
    }};
    look();
  }});
"""
LIVE = """
  const problem = () => root.dataset.error
    ?? (root.dataset.fleetlabState === "error" && document.querySelector(".dock").innerText);
  await until(() => marked("live") || problem());
  return { live: marked("live"), painted: marked("painted"), problem: problem() };
"""
# A browser that has just opened a tab, or kept a page for later, is busy with that for a while.
REST = "await new Promise((resolve) => setTimeout(resolve, 1000));"
# After this the browser holds all that it will keep for a later visit: this lab begins with that
# once it is live; the stock page keeps nothing.
KEPT = "if (root.dataset.fleetlabState) await until(() => marked('kept'));"
LOCK = """
  const form = document.querySelector('.part[data-part="1"] form.lock');
  form.elements.choice[0].checked = true;
  form.elements.number.value = 10;
  form.elements.confidence.value = 4;
  seek("Lock my prediction").click();
  await until(() => root.dataset.saved === "saved" && seek(KNOB));
"""
# Turns a knob and returns after how many milliseconds a frame shows the new run or its progress.
ANSWER = """
  const knob = await until(() => seek(KNOB));
  const shown = root.dataset.fleetlabRun;
  const began = performance.now();
  knob.click();
  const progress = () => document.querySelector(".running:not([hidden])");
  await until(() => root.dataset.fleetlabRun !== shown || progress());
  return performance.now() - began;
"""


@dataclass(frozen=True)
class Load:
    """One load of a page: when it was painted and when live, and the bytes sent by then."""

    painted_ms: float
    live_ms: float
    sent_bytes: int


def visit(browser: Browser, folder: Path, query: str, bytes_s: float, times: int) -> list[Load]:
    """Return a fresh visitor's loads of a folder's page over a link, one after the other."""
    link = Link(bytes_s=bytes_s)
    with served(folder, link) as address, browser.visitor() as tab:
        loads = []
        for _ in range(times):
            tab.go(BLANK)
            run(tab, REST)
            before = link.sent_bytes
            found = load(tab, address + query)
            loads.append(Load(found["painted"], found["live"], link.sent_bytes - before))
            run(tab, KEPT)
        return loads


def load(tab: Tab, address: str) -> dict[str, float]:
    """Return when the page at an address was painted and live, in milliseconds of its own clock.

    A page without a mark of its own for it shows nothing before it is live.
    """
    tab.go(address)
    found = run(tab, LIVE)
    if found.get("live") is None:
        raise BuildError(f"{address} did not go live: {found.get('problem')}")
    return {"live": found["live"], "painted": found.get("painted") or found["live"]}


def first_answer(browser: Browser, folder: Path) -> float:
    """Return how long after the first turn of a knob the live page answers, in milliseconds."""
    with served(folder, Link()) as address, browser.visitor() as tab:
        load(tab, address + LAB_QUERY)
        run(tab, LOCK)
        tab.go(BLANK)
        load(tab, address + LAB_QUERY)
        return float(run(tab, ANSWER))


def run(tab: Tab, body: str) -> dict[str, float]:
    """Return what the body of an async function, with HELP before it, returns in the page."""
    return tab.ask(f"(async () => {{ {HELP} {body} }})()")


@contextmanager
def served(folder: Path, link: Link) -> Iterator[str]:
    """Serve a folder over a link and yield its address."""
    server = open_server(folder, handler=link.handler())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
