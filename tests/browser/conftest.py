"""A ward served for real, and pages that fail on any violation, error or foreign request."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests import support
from vitruvian.testing.server import Serving, serving
from vitruvian.testing.ward import MemoryWard

Opener = Callable[..., Page]
# Long enough for a machine that is busy with other tests; what must come at once has a limit of its own.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One headless Chromium for these tests, driven by Playwright; `open_page` opens a context in it.

    Not for the session: while Playwright runs, its event loop does too, and no asynchronous test can.
    """
    executable = support.require_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(support.CHROMIUM_FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def ward() -> MemoryWard:
    return MemoryWard(24)


@pytest.fixture(scope="module")
def served(ward: MemoryWard) -> Iterator[Serving]:
    with serving(ward) as server:
        yield server


@pytest.fixture
def open_page(chromium: Browser, served: Serving) -> Iterator[Opener]:
    """Open a path at a width and theme. At the end, any console error, CSP violation or foreign request fails the test.

    `offline_allowed`: requests to our own server may fail, where the test stops it.
    """
    troubles: list[str] = []
    contexts = []

    def open_at(
        path: str,
        *,
        width: int = 1600,
        height: int = 1000,
        theme: str = "light",
        offline_allowed: bool = False,
        live: bool = True,
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if theme == "dark" else "light"
        )
        contexts.append(context)
        page = context.new_page()

        def said(message: ConsoleMessage) -> None:
            ours = offline_allowed and "net::ERR_" in message.text
            if message.type in ("error", "warning") and not ours:
                troubles.append(f"{path}: console {message.type}: {message.text}")

        def asked(request: Request) -> None:
            if not request.url.startswith((served.url, "data:", "blob:")):
                troubles.append(f"{path}: foreign request {request.url}")

        page.on("console", said)
        page.on("pageerror", lambda error: troubles.append(f"{path}: {error}"))
        page.on("request", asked)
        page.add_init_script(
            "window.violations = []; addEventListener('securitypolicyviolation',"
            " (e) => window.violations.push(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}`), true);"
        )
        page.goto(served.url + path)
        if live and page.locator("#clock").count():
            page.wait_for_selector('#connection[data-state="live"]')
        return page

    yield open_at
    for context in contexts:
        for page in context.pages:
            troubles += page.evaluate("window.violations ?? []")
        context.close()
    assert not troubles, troubles
