"""Browsers for the tests: one already on the machine, or one that can be had."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from .say import BuildError, say

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
FIREFOX = ("firefox-esr", "firefox")
CHROMIUM_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """Return the path of a Chromium on this machine, or None."""
    return _first(CHROMIUM) or next((p for p in CHROMIUM_PLACES if Path(p).is_file()), None)


def find_firefox() -> str | None:
    """Return the path of a Firefox on this machine, or None."""
    return _first(FIREFOX)


def get_chromium() -> str:
    """Return the path of a Chromium: the machine's, else Playwright's, else Debian's package.

    Raises a BuildError that says what to install where none can be had.
    """
    path = find_chromium() or _playwrights_own() or _install(("chromium",), find_chromium)
    if path is None:
        raise BuildError(
            "The browser tests need a Chromium and none could be had: install Chromium or Google "
            "Chrome (Debian and Ubuntu: apt-get install chromium), then run the same command again."
        )
    say(f"browser: {path}")
    return path


def get_firefox() -> str | None:
    """Return the path of a Firefox: the machine's, else Debian's package; None without either."""
    path = find_firefox() or _install(("firefox-esr",), find_firefox)
    say(f"browser: {path}" if path else "browser: no Firefox here, it is skipped")
    return path


def find_webkit() -> str | None:
    """Return the path of WebKit's driver on this machine, or None; it needs a screen to draw on."""
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or shutil.which("Xvfb")
    return shutil.which("WebKitWebDriver") if screen else None


def get_webkit() -> str | None:
    """Return the path of WebKit's driver: the machine's, else Debian's; None without either."""
    path = find_webkit() or _install(("webkit2gtk-driver", "xvfb"), find_webkit)
    say(f"browser: {path}" if path else "browser: no WebKitWebDriver here, WebKit is skipped")
    return path


def _first(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def _playwrights_own() -> str | None:
    """Return Playwright's Chromium, downloading it if need be; None where it cannot be had."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    if not Path(path).is_file():
        say("browser: none on this machine, fetching Playwright's own")
        command = [sys.executable, "-m", "playwright", "install", "chromium"]
        if subprocess.run(command, capture_output=True).returncode != 0:
            say("  Playwright's browser: skipped, it could not be downloaded from here")
    return path if Path(path).is_file() else None


def _install(packages: tuple[str, ...], find: Callable[[], str | None]) -> str | None:
    """Install Debian's packages as root, and return where the browser then is."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    say(f"browser: installing Debian's {' and '.join(packages)}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "-q", "update"], env=quiet, capture_output=True)
    command = ["apt-get", "-q", "-y", "install", "--no-install-recommends", *packages]
    done = subprocess.run(command, env=quiet, capture_output=True, text=True)
    if done.returncode != 0:
        why = (done.stderr.strip() or "apt-get failed").splitlines()[-1]
        say(f"  {' and '.join(packages)}: skipped, {why}")
    return find()
