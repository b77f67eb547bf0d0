"""The build itself: locked files and this checkout in, `dist/` out."""

import gzip
import hashlib
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

from . import bytecode, pages
from .fetch import obtain
from .lock import RuntimeLock, read_lock
from .notices import third_party
from .offline import NAME as OFFLINE
from .offline import offline_zip
from .pack import read_pack, write_pack
from .places import DIST, ROOT, WORK
from .policy import with_policy
from .prerender import is_quick, openings, snapshot
from .say import BuildError, megabytes, say
from .steps import kept, key_of
from .tree import own_files, package_files

SITE = ROOT / "site"
# The worker is one script: where it is started from its text, it can import no other.
WORKER = [
    SITE / "worker" / f"{name}.js"
    for name in ("start", "fetching", "keeping", "restoring", "messages")
]
RECORD = "build.json"
# What the page takes from the wheels as it is, by package: a file's path there, and here. Panel's
# style sheets keep the address that Panel itself gives them when it is its own server.
TAKEN = {
    "bokeh": re.compile(r"bokeh/server/static/js/(?P<runtime>bokeh(-widgets|-tables)?\.min\.js)$"),
    "panel": re.compile(
        r"panel/dist/((?P<runtime>panel\.min\.js)|(?P<static>css/.+\.css|bundled/theme/[^/]+\.css))$"
    ),
}
READ = re.compile(r"/(panel/theme|fleetlab)/.*\.(css|js|toml)$")
STATIC = "static/extensions/panel"
STYLE = re.compile(rf"{STATIC}/[\w./-]+\.css".encode())


def build() -> Path:
    """Return the folder of the built site, made anew only if something it is made of changed."""
    key = key_of([ROOT / "build.py", ROOT / "builder", ROOT / "fleetlab", SITE,
                  ROOT / "requirements", ROOT / "runtime.lock.toml", str(is_quick())])  # fmt: skip
    if stands(DIST, key):
        say("dist/: nothing changed, reused")
        return DIST
    lock = read_lock()
    files = obtain(lock.shipped, lock)
    WORK.mkdir(exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="dist-", dir=WORK))
    try:
        manifest = fill(fresh, lock, files)
        (fresh / RECORD).write_text(json.dumps({"key": key}) + "\n")
        fresh.chmod(0o755)
        replace(DIST, fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    first_visit = sum(facts["size"] for name, facts in manifest.items() if name != NOTICES)
    say(f"dist/: built, {len(manifest)} files, {megabytes(first_visit)}")
    return DIST


NOTICES = "THIRD_PARTY.txt"
FIRST_BYTES = 20e6
REPEAT_BYTES = 100e3
SCRIPT = re.compile(r"runtime/[\w-]+\.min\.js")
MEMORY = "runtime/memory.snapshot.gz"
LEAN = ("runtime/fleetlab.pack.gz", "runtime/packages.pack.gz", "runtime/python_stdlib.zip.gz")


def fill(dist: Path, lock: RuntimeLock, files: dict[str, Path]) -> dict[str, dict[str, Any]]:
    """Write the whole site into a folder and return its manifest: name to size and sha256."""
    manifest: dict[str, dict[str, Any]] = {}

    def put(name: str, data: bytes) -> None:
        path = dist / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        manifest[name] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    def put_packed(name: str, data: bytes) -> None:
        # Most hosts send these kinds of file as they are, so they are packed here, once.
        put(f"{name}.gz", compress(name, data))
        manifest[f"{name}.gz"] |= content_facts(data)

    for name in ("pyodide.js", "pyodide.asm.js"):
        put(f"runtime/{name}", files[name].read_bytes())
    put("runtime/pyodide-lock.json", bytecode.no_packages(lock).encode())
    put_packed("runtime/pyodide.asm.wasm", files["pyodide.asm.wasm"].read_bytes())
    parts = {
        "python_stdlib.zip": standard_library(lock, files),
        "packages.pack": packages(lock, files),
        "fleetlab.pack": own_code(lock, files),
    }
    for name, data in parts.items():
        put_packed(f"runtime/{name}", data)
    put_packed("runtime/resources.pack", resources(parts["packages.pack"], parts["fleetlab.pack"]))
    drawn = openings(parts, lock, files)
    for folder, made in (("openings", drawn), ("runtime", snapshot(parts, lock, files))):
        for name, data in made.items():
            put(f"{folder}/{name}", data)
            manifest[f"{folder}/{name}"] |= content_facts(gzip.decompress(data))
    for name, data in taken(lock, files):
        put(name, data)
    put(NOTICES, third_party(lock, files).encode())
    for path in site_files():
        put(path.relative_to(SITE).as_posix(), path.read_bytes())
    for name, page in render(manifest, lock).items():
        put(name, page.encode())
    put("sw.js", service_worker(manifest, styles_in(drawn)))
    check_budget(manifest, dist)
    site = {name: (dist / name).read_bytes() for name in manifest}
    put(OFFLINE, offline_zip(site, pages.module_files(SITE), LEAN if MEMORY in manifest else ()))
    (dist / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    return manifest


def check_budget(manifest: dict[str, dict[str, Any]], dist: Path) -> None:
    """Raise a BuildError if a first visit or a repeated one takes more bytes than they may.

    Texts count as a host sends them, gzipped; one opening and one run are the largest there are.
    """

    def sent(name: str) -> int:
        if name.endswith(".gz"):
            return int(manifest[name]["size"])
        return len(gzip.compress((dist / name).read_bytes(), 6))

    unused = LEAN if MEMORY in manifest else ()
    first = sum(
        sent(name)
        for name in manifest
        if name not in (*unused, NOTICES, OFFLINE, "instructor.html", "sw.js")
        and not name.startswith(("openings/", STATIC))
    )
    for suffix in (".json.gz", ".run.gz"):
        first += max((sent(name) for name in manifest if name.endswith(suffix)
                      and name.startswith("openings/")), default=0)  # fmt: skip
    repeat = sent("sw.js")
    say(f"first visit {megabytes(first)}, a later one {megabytes(repeat)}")
    for what, size, most in (("first", first, FIRST_BYTES), ("later", repeat, REPEAT_BYTES)):
        if size > most:
            raise BuildError(
                f"A {what} visit takes {megabytes(size)}; the budget is {megabytes(most)}."
            )


def styles_in(drawn: Mapping[str, bytes]) -> set[str]:
    """Return the names of the style sheets of Panel's that openings, as packed, ask for."""
    return {
        name.decode() for data in drawn.values() for name in STYLE.findall(gzip.decompress(data))
    }


def service_worker(manifest: dict[str, dict[str, Any]], styles: Set[str]) -> bytes:
    """Return the service worker with its list: what a visit needs is kept at once, the rest on use.

    The openings and notices are many and seldom asked for, the lean way up is only for who cannot
    use the snapshot, and of Panel's style sheets the openings name the few that are used (in
    ``styles``; without openings all are kept).
    """
    later = {NOTICES, *(LEAN if MEMORY in manifest else ())}
    if styles:
        later |= {name for name in manifest if name.startswith(STATIC)} - styles
    files = {
        name: {
            "sha256": facts["sha256"],
            "keep": name not in later and not name.startswith("openings/"),
            "named": bool(SCRIPT.fullmatch(name)),
        }
        for name, facts in manifest.items()
    }
    text = json.dumps(files, sort_keys=True, separators=(",", ":"))
    return f"self.fleetlabFiles = {text};\n{(SITE / 'sw.js').read_text('utf-8')}".encode()


def content_facts(data: bytes) -> dict[str, Any]:
    """Return what the manifest says of a packed file's content."""
    return {"content_size": len(data), "content_sha256": hashlib.sha256(data).hexdigest()}


def render(manifest: dict[str, dict[str, Any]], lock: RuntimeLock) -> dict[str, str]:
    """Return the finished pages by name: the lab, and the page for instructors."""
    from fleetlab import __version__
    from fleetlab.app.parts import PARTS
    from fleetlab.missions.questions import CONFIDENCES, questions
    from fleetlab.policy.rule import START

    asked = [question.for_page() for question in questions().values()]
    figures = pages.compute_figures()
    content = pages.render_content(SITE / "content", figures)
    lab = pages.render_page(
        SITE / "index.html",
        content=content,
        figures=figures,
        parts=[question for question in asked if question["part"] in PARTS],
        questions=asked,
        confidences=CONFIDENCES,
        rule_start=START,
        version=__version__,
        pyodide_version=lock.pyodide,
    )
    guide = pages.render_page(SITE / "instructor.html", content=content, version=__version__)
    start = pages.Start(
        guard=(SITE / "guard.js").read_text("utf-8"),
        headstart=(SITE / "headstart.js").read_text("utf-8"),
        worker="\n".join(path.read_text("utf-8") for path in WORKER),
        modules=pages.module_files(SITE),
        scripts=[name for name in manifest if SCRIPT.fullmatch(name)],
    )
    return {
        "index.html": with_policy(pages.pin(lab, manifest, start)),
        "instructor.html": with_policy(pages.pin_files(guide, manifest, "instructor.html")),
    }


def site_files() -> Iterator[Path]:
    """Return the files of site/ that ship as they are."""
    for path in sorted(SITE.rglob("*")):
        made = path in (SITE / "guard.js", SITE / "headstart.js", SITE / "sw.js", *WORKER)
        rendered = path.suffix in (".html", ".md")
        if path.is_file() and not (made or rendered or path.name.startswith(".")):
            yield path


def standard_library(lock: RuntimeLock, files: dict[str, Path]) -> bytes:
    """Return the standard library's zip, compiled."""
    key = key_of([*core_parts(lock), files["python_stdlib.zip"]])
    make = lambda: bytecode.compile_standard_library(files["python_stdlib.zip"], files, lock)  # noqa: E731
    return kept("python_stdlib.zip", key, make)


def packages(lock: RuntimeLock, files: dict[str, Path]) -> bytes:
    """Return the pack of all third-party packages, compiled."""
    key = key_of([*core_parts(lock), lock.digest, ROOT / "builder" / "tree.py"])

    def make() -> bytes:
        tree = package_files([files[file.name] for file in lock.packages])
        return write_pack(bytecode.compile_files(tree, files, lock, "packages"))

    return kept("packages.pack", key, make)


def resources(*packs: bytes) -> bytes:
    """Return the pack of what in some packs the live app reads: a snapshot holds the code."""
    files = {path: data for pack in packs for path, data in read_pack(pack).items()}
    return write_pack({path: data for path, data in files.items() if READ.search(path)})


def own_code(lock: RuntimeLock, files: dict[str, Path]) -> bytes:
    """Return the pack of fleetlab itself, compiled."""
    tree = own_files()
    key = key_of([*core_parts(lock), write_pack(tree)])
    return kept(
        "fleetlab.pack",
        key,
        lambda: write_pack(bytecode.compile_files(tree, files, lock, "fleetlab")),
    )


def core_parts(lock: RuntimeLock) -> list[str | bytes | Path]:
    """Return what every compiled step depends on."""
    here = Path(bytecode.__file__)
    return [*(file.sha256 for file in lock.core), here, bytecode.SCRIPT, here.with_name("pack.py")]


def taken(lock: RuntimeLock, files: dict[str, Path]) -> Iterator[tuple[str, bytes]]:
    """Return BokehJS's and Panel's scripts and style sheets out of their wheels, by name."""
    for package, wanted in TAKEN.items():
        wheel = next(file.name for file in lock.packages if file.name.startswith(f"{package}-"))
        with zipfile.ZipFile(files[wheel]) as archive:
            for path in archive.namelist():
                if found := wanted.match(path):
                    part = found.groupdict()
                    script, style = part["runtime"], part.get("static")
                    yield f"runtime/{script}" if script else f"{STATIC}/{style}", archive.read(path)


def compress(name: str, data: bytes) -> bytes:
    """Return the data gzipped, the same bytes every time."""
    key = key_of([data])
    return kept(f"{name.rpartition('/')[2]}.gz", key, lambda: gzip.compress(data, 9, mtime=0))


def stands(dist: Path, key: str) -> bool:
    """Return whether a build with this key lies there whole."""
    try:
        if json.loads((dist / RECORD).read_text())["key"] != key:
            return False
        manifest = json.loads((dist / "manifest.json").read_text())
    except (OSError, ValueError, KeyError):
        return False
    return all(
        (dist / name).is_file()
        and hashlib.sha256((dist / name).read_bytes()).hexdigest() == facts["sha256"]
        for name, facts in manifest.items()
    )


def replace(old: Path, new: Path) -> None:
    """Put the new folder in the old one's place."""
    if old.is_symlink() or (old.exists() and not old.is_dir()):
        raise BuildError(f"{old} is not a folder: move it away, then build again.")
    if old.exists():
        aside = Path(tempfile.mkdtemp(prefix="old-", dir=WORK))
        old.rename(aside / "dist")
        new.rename(old)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        new.rename(old)
