"""Takes the README's pictures of a fresh demo: `python -m tests.pictures` (make pictures) writes docs/img."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from portal.demo.people import PASSWORD
from tests.living import CHROMIUM, CHROMIUM_ARGS
from tests.processes import ROOT, free_port

WIDE, PHONE = {"width": 1200, "height": 780}, {"width": 390, "height": 844}
# file: who is signed in (nobody when empty), the page, the language, the size
PICTURES = {
    "patient": ("amina@demo.dz", "/doctors", "en-GB", WIDE),
    "doctor": ("dr.benali@demo.dz", "/doctor/week", "en-GB", WIDE),
    "desk": ("desk@demo.dz", "/desk/", "en-GB", WIDE),
    "arabic": ("", "/doctors", "ar-DZ", PHONE),
}


def main() -> None:
    """Start a demo, take the pictures, end it."""
    with tempfile.TemporaryDirectory(prefix="portal-pictures-") as place:
        port = free_port()
        told = {**os.environ, "PORT": str(port), "PORTAL_DATA": place}
        demo = subprocess.Popen([sys.executable, "-m", "portal.run_all", "--with-parent"], cwd=ROOT, env=told)
        try:
            _until_ready(f"http://127.0.0.1:{port}/health")
            with sync_playwright() as playwright:
                path = next(found for name in CHROMIUM if (found := shutil.which(name)))
                browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
                for name in PICTURES:
                    _take(browser, f"http://127.0.0.1:{port}", name, ROOT / f"docs/img/{name}.png")
                browser.close()
        finally:
            demo.terminate()
            demo.wait()


def _take(browser: Browser, base_url: str, name: str, file: Path) -> None:
    email, path, locale, size = PICTURES[name]
    context = browser.new_context(base_url=base_url, viewport=size, locale=locale)  # type: ignore[arg-type]
    page = context.new_page()
    if email:
        page.goto("/account/sign-in")
        page.fill("input[name=email]", email)
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(lambda url: "sign-in" not in url)
    page.goto(path)
    page.wait_for_load_state("load")
    page.screenshot(path=file)
    context.close()


def _until_ready(url: str) -> None:
    for _ in range(1200):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The demo did not start.")


if __name__ == "__main__":
    main()
