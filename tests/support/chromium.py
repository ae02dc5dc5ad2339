"""Finds or gets a Chromium for the dashboard's tests; `make test` runs it before them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

from playwright.sync_api import sync_playwright

SYSTEM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MISSING = (
    "there is no Chromium, so the dashboard cannot be tested in a browser;"
    " install one, on Debian with: apt-get install chromium"
)
# seconds after which an installation counts as failed
LONGEST_INSTALL = 600


def find() -> str | None:
    """The path of a Chromium that starts: the system's, else the one Playwright downloaded."""
    return next((path for path in _candidates() if _starts(path)), None)


def _candidates() -> Iterator[str]:
    yield from filter(None, map(shutil.which, SYSTEM))
    with sync_playwright() as playwright:
        downloaded = playwright.chromium.executable_path
    yield downloaded


def _starts(path: str) -> bool:
    """Whether it is a browser and has all its libraries; Ubuntu's `chromium` may be a stub."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _installers() -> Iterator[list[str]]:
    yield [sys.executable, "-m", "playwright", "install", "--no-shell", "chromium"]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        yield ["sh", "-c", "apt-get update -qq; apt-get install -y -qq chromium"]


def main() -> None:
    """Installs a Chromium where there is none, or says in a sentence that there will be none."""
    if find():
        return
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in _installers():
        print(f"Installing Chromium for the tests: {' '.join(command)}", file=sys.stderr)
        try:
            subprocess.run(command, env=environment, capture_output=True, timeout=LONGEST_INSTALL)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if find():
            return
    print(MISSING, file=sys.stderr)


if __name__ == "__main__":
    main()
