"""The stock page that start-up is measured against: the same lock, loaded the usual way."""

import io
import json
import shutil
import zipfile
from pathlib import Path

from .assemble import taken
from .fetch import obtain
from .lock import LockedFile, RuntimeLock, read_lock
from .places import WORK
from .say import say
from .steps import key_of

SOURCE = Path(__file__).with_name("stock")
BY_NAME = ("numpy-", "pandas-", "pillow-", "contourpy-", "micropip-", "packaging-24", "six-",
           "python_dateutil-", "pytz-")  # fmt: skip


def build_stock() -> Path:
    """Return the folder of the stock page, made unless it stands."""
    lock = read_lock()
    folder = WORK / "stock"
    mark = folder / "made"
    key = key_of([lock.digest, SOURCE, Path(__file__)])
    if mark.is_file() and mark.read_text() == key:
        say("stock page: reused")
        return folder
    files = obtain([*lock.shipped, *lock.bench], lock)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    fill(folder, lock, files)
    mark.write_text(key)
    say("stock page: built")
    return folder


def fill(folder: Path, lock: RuntimeLock, files: dict[str, Path]) -> None:
    """Write the stock page into a folder: Pyodide as it comes, and one wheel a package."""
    for file in lock.core:
        shutil.copyfile(files[file.name], folder / file.name)
    shutil.copyfile(files["pyodide-lock.json"], folder / "pyodide-lock.json")
    for name, data in taken(lock, files):
        if name.startswith("runtime/"):
            (folder / Path(name).name).write_bytes(data)
    wheels = []
    for file in (*lock.packages, *lock.bench):
        if file.name.startswith(BY_NAME):  # Pyodide loads these by its own list
            shutil.copyfile(files[file.name], folder / file.name)
        elif file.name.endswith(".whl") and not file.name.startswith("packaging-"):
            name, data = pure_wheel(file, files[file.name])
            (folder / name).write_bytes(data)
            wheels.append(name)
    (folder / "wheels.json").write_text(json.dumps(wheels))
    for path in SOURCE.iterdir():
        if path.is_file():
            shutil.copyfile(path, folder / path.name)


def pure_wheel(file: LockedFile, path: Path) -> tuple[str, bytes]:
    """Return a wheel's name and bytes without what only a server needs or only a PC can run.

    The stock page gets the same courtesy as ours: no second copy of the browser's scripts.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            left_out = info.filename.startswith(("panel/dist/", "bokeh/server/static/"))
            if left_out or info.filename.endswith((".so", "/RECORD")):
                continue
            data = old.read(info)
            if info.filename.endswith(".dist-info/WHEEL"):
                data = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            new.writestr(info.filename, data)
            if info.filename.endswith(".dist-info/WHEEL"):
                new.writestr(info.filename.replace("WHEEL", "RECORD"), "")
    name, version = file.name.split("-")[:2]
    return f"{name}-{version}-py3-none-any.whl", out.getvalue()
