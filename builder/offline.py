"""The offline edition: the site in a zip, to be unpacked and opened from a disk by a double-click.

A page from a disk may load scripts and fetch nothing. So its modules travel inside the page, and
the other files as scripts that carry them.
"""

import base64
import io
import json
import re
import zipfile
from collections.abc import Mapping

from .pages import IMPORTED
from .say import BuildError

NAME = "fleetlab-offline.zip"
FOLDER = "fleetlab"
DATE = (2020, 1, 1, 0, 0, 0)  # the same zip for the same site
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
INTEGRITY = re.compile(r' integrity="sha256-[^"]+"( crossorigin)?')
PRELOAD = re.compile(r'<link rel="(?:module)?preload"[^>]*>')
MODULE = re.compile(r'<script type="module" src="([\w./-]+)"[^>]*></script>')
AS_THEY_ARE = re.compile(
    r"([\w-]+\.css|favicon\.svg|THIRD_PARTY\.txt|static/.*|runtime/[\w-]+\.min\.js|.*\.html)$"
)


def offline_zip(site: Mapping[str, bytes], modules: list[str], lean: tuple[str, ...]) -> bytes:
    """Return the zip of a finished site; ``modules`` are the page's own, ``lean`` is left out."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in sorted(site.items()):
            if name == "index.html":
                entries = {name: offline_page(data.decode(), site, modules).encode()}
            elif AS_THEY_ARE.match(name):
                entries = {name: POLICY.sub("", INTEGRITY.sub("", data.decode())).encode()
                           if name.endswith(".html") else data}  # fmt: skip
            elif name in lean or name in modules or name == "sw.js":
                continue
            else:
                entries = {f"files/{name}.js": carried(name, data)}
            for path, content in entries.items():
                archive.writestr(zipfile.ZipInfo(f"{FOLDER}/{path}", DATE), content,
                                 zipfile.ZIP_DEFLATED)  # fmt: skip
    return out.getvalue()


def carried(name: str, data: bytes) -> bytes:
    """Return a script that hands a file to the page."""
    text = base64.b64encode(data).decode()
    return f'fleetlabFile({json.dumps(name)},"{text}")'.encode()


def offline_page(page: str, site: Mapping[str, bytes], modules: list[str]) -> str:
    """Return the page with its modules inside and nothing that a disk would refuse."""
    found = MODULE.search(page)
    if found is None:
        raise BuildError("index.html has no module script.")
    entry = found.group(1)
    imports = {f"fleetlab/{name}": address(site[name].decode()) for name in modules}
    scripts = (
        f'<script type="importmap">{json.dumps({"imports": imports})}</script>'
        f'<script type="module">import "fleetlab/{entry}";</script>'
    )
    page = PRELOAD.sub("", POLICY.sub("", page[: found.start()] + scripts + page[found.end() :]))
    return INTEGRITY.sub("", page).replace("<html ", '<html data-edition="offline" ', 1)


def address(module: str) -> str:
    """Return a data: address of a module, its imports by name instead of by place."""
    text = IMPORTED.sub(lambda found: found.group(0).replace("./", "fleetlab/", 1), module)
    return f"data:text/javascript;base64,{base64.b64encode(text.encode()).decode()}"
