"""Find Chromium or Chrome, and install it where there is none: ``python book/browser.py``."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
MISSING = "no Chromium or Chrome on the path, nor named by CHROME, nor downloaded by Playwright"


def find_browser() -> str | None:
    """Return the machine's Chromium or Chrome, else Playwright's; CHROME names another one."""
    for name in (os.environ.get("CHROME"), *BROWSERS):
        if name and (found := shutil.which(name)):
            return found
    return downloaded()


def downloaded() -> str | None:
    """Return the browser that Playwright has downloaded, if it has."""
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> None:
    """Install Debian's package where that can be done, else let Playwright download a browser."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        options = ["--yes", "--no-install-recommends"]
        for command in (["apt-get", "update"], ["apt-get", "install", *options, "chromium"]):
            subprocess.run(command, env=environment, check=False)
    if not find_browser():
        command = [sys.executable, "-m", "playwright", "install", "--no-shell", "chromium"]
        subprocess.run(command, check=False)


if __name__ == "__main__":
    if not find_browser():
        print("Installing Chromium, for the tests in a browser and for `make pdf`.", flush=True)
        install()
    print(f"Browser: {find_browser() or MISSING}")
