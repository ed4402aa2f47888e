"""The system's Chromium: found, or installed where that is allowed (`python tests/browser.py`)."""

import os
import shutil
import subprocess
import sys

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
MISSING = (
    "no Chromium found: install Debian's or Ubuntu's package `chromium`, "
    "or Google Chrome, or set CHROMIUM to the browser's path"
)


def find() -> str | None:
    """Path of the browser that the tests drive. Exits if CHROMIUM is set to what cannot be run."""
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named) or sys.exit(f"CHROMIUM={named}: no such program; unset it or name one")
    return next(filter(None, map(shutil.which, NAMES)), None)


def install() -> None:
    """Debian's package, where we are root; a failed installation is only reported."""
    print("no Chromium found: installing Debian's package `chromium`, as the README says", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        subprocess.run(["apt-get", "-qq", *command], env=environment, check=False)


if __name__ == "__main__":
    if not find() and os.geteuid() == 0 and shutil.which("apt-get"):
        install()
    path = find()
    print(f"browser: {path}" if path else MISSING)
    sys.exit(0 if path or not os.environ.get("CI") else 1)
