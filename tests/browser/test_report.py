"""The report in a real browser: nothing fetched, nothing complained of, nothing wider than the window, both themes."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.test_accessibility import violations
from tests.evaluation_support import evaluated, hourly_cohort
from vitruvian.prediction.report import write_report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_report(folder, {}, evaluated(hourly_cohort(), draws=10))
    return folder / "report.html"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_report_shows(chromium: Browser, report: Path, width: int, theme: str) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, locale="en-GB")
    said: list[str] = []
    asked: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    assert asked == [report.as_uri()]
    assert not said
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Ink and ground differ in both themes, also inside the drawings.
    ink, ground = page.evaluate(
        "[getComputedStyle(document.querySelector('svg.plot text')).fill,"
        " getComputedStyle(document.querySelector('figure')).backgroundColor]"
    )
    assert ink != ground
    dark = sum(int(part) for part in ground[4:-1].split(",")) < 3 * 80
    assert dark == (theme == "dark")
    assert violations(page) == []
    context.close()
