"""The README's pictures: a simulated ward with a fixed seed, seen in a real browser. Run by scripts/screenshots."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

from benchmarks.dashboard import ward
from tests.support import CHROMIUM_FLAGS, REPOSITORY, require_chromium

IMAGES = REPOSITORY / "docs" / "images"
SETTLE_S = 75.0  # past the first issued risks


def main() -> None:
    """Draw both."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        ward(24, Path(scratch), "--seed", "3", "--history", "6") as (url, _, _),
    ):
        time.sleep(SETTLE_S)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=require_chromium(), args=list(CHROMIUM_FLAGS))
            rows = httpx.get(f"{url}/api/v1/patients", timeout=30).json()["patients"]
            gravest = max(rows, key=lambda row: row["risk"]["probability"] or 0)["id"]
            for name, path in (("ward", "/"), ("patient", f"/patients/{gravest}")):
                page = browser.new_page(viewport={"width": 1600, "height": 880})
                page.goto(url + path)
                page.wait_for_selector('#connection[data-state="live"]')
                page.wait_for_timeout(2_500)
                page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")
                print(f"{name}.png: {(IMAGES / f'{name}.png').stat().st_size:,} bytes")
            browser.close()


if __name__ == "__main__":
    main()
