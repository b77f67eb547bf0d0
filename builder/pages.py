"""The page: prose rendered from Markdown, its numbers filled in from a run, its files pinned."""

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from markdown_it import MarkdownIt
from markupsafe import Markup

from .places import ROOT
from .say import BuildError
from .steps import kept, key_of

FIGURE = re.compile(r"\{\{\s*figures\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
PINNED = re.compile(
    r"""(<(?:script|link)\b[^>]*?\b(?:src|href)=["']([^"':?#]+)(?:\?\w+)?["'])([^>]*>)"""
)
IMPORTED = re.compile(r"""(?:from|import)\s*\(?\s*["']\./([\w./-]+\.js)["']""")


def compute_figures() -> dict[str, str]:
    """Return the figures that prose may quote, as the engine computes them."""

    def run() -> bytes:
        from fleetlab.prose import figures

        return json.dumps(figures.compute(), sort_keys=True).encode()

    found: dict[str, str] = json.loads(kept("figures", key_of([ROOT / "fleetlab"]), run))
    return found


def render_content(folder: Path, figures: dict[str, str]) -> dict[str, Markup]:
    """Return the prose under a folder as HTML, by path without suffix ("titan/part1").

    A placeholder that names no figure is a BuildError naming file and figure.
    """
    markdown = MarkdownIt("commonmark").enable("table")
    content = {}
    for path in sorted(folder.rglob("*.md")):
        text = fill(path.read_text("utf-8"), figures, path.relative_to(folder.parent))
        name = path.relative_to(folder).with_suffix("").as_posix()
        content[name] = Markup(scrolling(markdown.render(text)))
    return content


def scrolling(html: str) -> str:
    """Return the prose with what may be too wide for a phone scrolling sideways, by key too."""
    box = '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>'
    html = html.replace("<table>", box).replace("</table>", "</table></div>")
    return html.replace("<pre>", '<pre tabindex="0">')


def fill(text: str, figures: dict[str, str], name: Path) -> str:
    """Return the text with each `{{ figures.x }}` replaced by that figure."""

    def figure(found: re.Match[str]) -> str:
        key = found.group(1)
        if key not in figures:
            line = text.count("\n", 0, found.start()) + 1
            raise BuildError(
                f"{name.as_posix()}, line {line}: there is no figure {key!r}; "
                f"fleetlab.prose.figures computes {', '.join(sorted(figures)) or 'none yet'}."
            )
        return figures[key]

    return FIGURE.sub(figure, text)


def render_page(template: Path, **context: Any) -> str:
    """Return the page of a Jinja template; an unknown name in it is a BuildError."""
    environment = Environment(
        loader=FileSystemLoader(template.parent), autoescape=True, undefined=StrictUndefined
    )
    try:
        return environment.get_template(template.name).render(**context)
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        where = f"{template.name}, line {line}" if line else template.name
        raise BuildError(f"{where}: {error}.") from error


@dataclass(frozen=True)
class Start:
    """What a page begins with: scripts that it holds, and files that it asks for at once.

    ``guard`` names a file that fails, ``headstart`` starts the worker, whose script is ``worker``;
    ``modules`` and ``scripts`` are the names of the page's own and of BokehJS's.
    """

    guard: str
    headstart: str
    worker: str
    modules: Sequence[str]
    scripts: Sequence[str]


def pin(page: str, manifest: dict[str, dict[str, Any]], start: Start) -> str:
    """Return the page with its start, its list of files, and every script and style pinned.

    The browser refuses a pinned file with other bytes; the guard then says which one it was.
    """
    files = json.dumps(manifest, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")
    if "</script" in start.worker:
        raise BuildError("The worker's script has </script in it, which would end it in the page.")
    begin = (
        f"<script>{start.guard}</script>"
        f'<script type="application/json" id="fleetlab-manifest">{files}</script>'
        f'<script type="text/plain" id="fleetlab-worker">{start.worker}</script>'
        f"<script>{start.headstart}</script>"
    )
    preload = "".join(f'<link rel="modulepreload" href="{name}">' for name in start.modules)
    preload += "".join(
        f'<link rel="preload" as="script" href="{name}?{manifest[name]["sha256"]}">'
        for name in start.scripts
    )
    charset = re.search(r"<meta\s+charset=[^>]*>", page) or re.search(r"<head[^>]*>", page)
    end = page.find("</head>")
    if charset is None or end < 0:
        raise BuildError("index.html has no <head> that ends.")
    whole = page[: charset.end()] + begin + page[charset.end() : end] + preload + page[end:]
    return pin_files(whole, manifest, "index.html")


def pin_files(page: str, manifest: dict[str, dict[str, Any]], page_name: str) -> str:
    """Return the page with every script and style pinned to its bytes."""

    def pinned(found: re.Match[str]) -> str:
        start, name, end = found.groups()
        facts = manifest.get(name.removeprefix("./"))
        if facts is None:
            raise BuildError(f"{page_name} refers to {name}, which is not in site/.")
        if "integrity=" in found.group(0) or 'rel="icon"' in found.group(0):
            return found.group(0)
        return f'{start} integrity="{integrity(facts["sha256"])}" crossorigin{end}'

    return PINNED.sub(pinned, page)


def integrity(sha256: str) -> str:
    """Return the integrity attribute of a file with this sha256."""
    return "sha256-" + base64.b64encode(bytes.fromhex(sha256)).decode()


def module_files(folder: Path, entry: str = "page.js") -> list[str]:
    """Return the page's modules that the entry imports, directly or not, itself last."""
    found: list[str] = []

    def visit(name: str) -> None:
        if name in found or not (folder / name).is_file():
            return
        for imported in IMPORTED.findall((folder / name).read_text("utf-8")):
            visit(imported)
        if name not in found:
            found.append(name)

    visit(entry)
    return found
