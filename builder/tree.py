"""The lean tree: which files of the wheels, and of this checkout, the reader's Python gets."""

import re
import zipfile
from pathlib import Path

from .places import ROOT
from .say import BuildError

SITE_PACKAGES = "/lib/python3.12/site-packages"

# What no import in the page reads. BokehJS and Panel's own scripts go to the page as scripts.
LEFT_OUT = re.compile(
    r"""
      ^panel/(dist|tests|command|examples|auth\.py|compiler\.py)
    | ^bokeh/(server/static|command|sampledata/_data|LICENSE)
    | ^pyviz_comms/labextension/(static|schemas)
    | ^numpy/(f2py|distutils|testing/tests|_pyinstaller|doc|fft|_core/include|_core/lib)
    | ^numpy/_core/_(simd|(operand_flag|rational|struct_ufunc|umath)_tests)\.cpython
    | ^numpy/linalg/lapack_lite\.cpython
    | ^numpy/random/(lib|_examples)
    | ^(yaml/_yaml|_yaml/|markupsafe/_speedups)
    | ^[^/]+\.data/
    | (^|/)tests?/
    | \.(ts|tsx|less|map|pyi|pxd|pyx|a|c|h|typed|ini|pc)$
    | (eslint\.config\.js|package-lock\.json|tsconfig\.json)$
    | \.dist-info/(RECORD|WHEEL|licenses|LICEN[CS]E|top_level|INSTALLER|AUTHORS|direct_url)
    """,
    re.VERBOSE,
)


def wheel_files(wheel: Path) -> dict[str, bytes]:
    """Return the files of a wheel that the reader's Python needs, by path in site-packages."""
    files = {}
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            path = info.filename
            if info.is_dir() or LEFT_OUT.search(path):
                continue
            if path.endswith(".so") and "wasm32" not in path:
                raise BuildError(f"{wheel.name}: {path} is not compiled for the browser.")
            files[path] = archive.read(info)
    return files


def package_files(wheels: list[Path]) -> dict[str, bytes]:
    """Return the files of all wheels, by absolute path in the reader's file system."""
    files: dict[str, bytes] = {}
    for wheel in wheels:
        for path, data in wheel_files(wheel).items():
            whole = f"{SITE_PACKAGES}/{path}"
            if files.setdefault(whole, data) != data:
                raise BuildError(f"{wheel.name}: {path} is in another wheel too, with other bytes.")
    return files


def own_files(root: Path = ROOT) -> dict[str, bytes]:
    """Return fleetlab's own files: modules, but the command line, and the tables beside them."""
    package = root / "fleetlab"
    return {
        f"{SITE_PACKAGES}/{path.relative_to(root).as_posix()}": path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.suffix in (".py", ".toml", ".json", ".css")
        and "__pycache__" not in path.parts
        and path.relative_to(package).parts[0] not in ("cli", "__main__.py")
    }


def licence_texts(wheel: Path) -> dict[str, str]:
    """Return the licence texts in a wheel by their path, its metadata's own folder first."""
    texts = {}
    with zipfile.ZipFile(wheel) as archive:
        for path in sorted(archive.namelist(), key=lambda p: (".dist-info/" not in p, p)):
            name = path.rsplit("/", 1)[-1].upper()
            if name.startswith(("LICEN", "COPYING", "NOTICE")) and "labextension" not in path:
                text = archive.read(path).decode("utf-8", "replace").strip()
                if text and text not in texts.values():
                    texts[path] = text
    return texts
