"""axe finds nothing on any page, theme, width and state; pages reflow and can be used enlarged."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.support import REPOSITORY, missing
from vitruvian.testing.server import Serving
from vitruvian.testing.ward import MemoryWard

pytestmark = pytest.mark.browser

PAGES = (
    "/",
    "/?density=compact",
    "/patients/sim-003",
    "/patients/sim-003?at=2026-01-01T06:00&basis=as_known",
    "/patients/sim-003/risks/sepsis",
    "/patients",
    "/data",
    "/docs",
)
COLOUR_RULES = ("color-contrast", "link-in-text-block")
AXE = REPOSITORY / "node_modules" / "axe-core" / "axe.min.js"


def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds, by these rules or by all."""
    if not AXE.exists():
        missing("no axe-core: scripts/setup --dev installs it")
    page.evaluate(AXE.read_text("utf-8"))
    # What is flashing is measured at rest.
    page.emulate_media(reduced_motion="reduce")
    only = {"runOnly": {"type": "rule", "values": rules}} if rules else {}
    found = page.evaluate(
        "async (only) => (await axe.run(document, { resultTypes: ['violations'], ...only })).violations", only
    )
    return [
        f"{one['id']}: {one['help']}: {node['target']} {node['failureSummary'][:300]}"
        for one in found
        for node in one["nodes"][:3]
    ]


@pytest.mark.parametrize("width", [1600, pytest.param(1024, marks=pytest.mark.long), 390])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(open_page: Opener, ward: MemoryWard, path: str, width: int) -> None:
    """Everything in the light theme; in the dark one, which an open page takes on, what colours may change."""
    ward.set_value("sim-003", "heart_rate", 140.0)
    page = open_page(path, width=width)
    if path.startswith("/patients/") and "/risks/" not in path:
        expect(page.locator(".chart")).to_have_count(6)
    assert violations(page) == [], "light"
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert violations(page, *COLOUR_RULES) == [], "dark"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_other_states(
    open_page: Opener, ward: MemoryWard, served: Serving, theme: str
) -> None:
    ward.set_value("sim-003", "heart_rate", 141.0)
    page = open_page("/", theme=theme, offline_allowed=True)
    page.locator("#alarms button").first.click()
    assert violations(page) == [], "dialog"
    page.keyboard.press("Escape")
    page.locator("#find").fill("nobody at all")
    assert violations(page) == [], "nobody found"
    page.locator("#find").fill("")
    ward.step(1.0)
    ward.step(1.0)
    ward.freeze("sim-003")
    ward.step(60.0)
    ward.freeze("sim-003", False)
    expect(page.locator('[data-id="sim-003"] [data-c="heart_rate"]')).to_have_attribute("data-state", "stale")
    assert violations(page) == [], "stale"
    served.stop()
    expect(page.locator("#lost")).to_be_visible(timeout=60_000)
    assert violations(page) == [], "connection lost"
    served.start()
    expect(page.locator("#lost")).to_be_hidden(timeout=60_000)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_cut_off_at_320_px(open_page: Opener, path: str) -> None:
    page = open_page(path, width=320, height=640)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("path", ["/", "/patients/sim-003"])
def test_targets_are_large_enough(open_page: Opener, path: str) -> None:
    page = open_page(path)
    small = page.evaluate("""
        [...document.querySelectorAll('button, a[href], select, input:not([type=hidden]), summary')]
        .filter((node) => node.checkVisibility() && !node.closest('small, p, td, [aria-hidden], .skip'))
        .map((node) => [node.outerHTML.slice(0, 90), node.getBoundingClientRect()])
        .filter(([, box]) => box.width > 0 && (box.height < 23.5 || box.width < 23.5)).map(([html]) => html)""")
    assert small == []


def test_what_colour_says_is_said_without_it(open_page: Opener, ward: MemoryWard) -> None:
    """In greyscale: bands carry their points, alarms their symbol, lanes their name, stale its age."""
    ward.set_value("sim-003", "heart_rate", 142.0)
    page = open_page("/")
    unsaid = page.evaluate("""[...document.querySelectorAll('#beds .v[data-points]')]
        .filter((cell) => cell.dataset.points !== '0')
        .filter((cell) => cell.querySelector('i').textContent !== cell.dataset.points).length""")
    assert unsaid == 0
    unmarked = page.evaluate("""[...document.querySelectorAll('#alarms li:not(.settled) .sym')]
        .filter((node) => !/^\\*+$/.test(node.textContent)).length""")
    assert unmarked == 0
