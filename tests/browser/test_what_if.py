"""The body's card, forecasts and the what-if panel in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.browser.test_accessibility import COLOUR_RULES, violations
from vitruvian.dashboard import present
from vitruvian.testing.server import Serving
from vitruvian.testing.ward import MemoryWard

pytestmark = pytest.mark.browser
PATIENT = "/patients/sim-003"
ESTIMATES = """() => [...document.querySelectorAll('#estimates tbody tr')].map((row) => [row.dataset.name,
    ...[...row.cells].map((cell) => cell.textContent),
    ...[...row.querySelectorAll('rect')].map((bar) => [bar.getAttribute('class'), Number(bar.getAttribute('x')),
        Number(bar.getAttribute('width')), bar.getAttribute('y'), bar.getAttribute('height')].join(' '))])"""


@pytest.fixture(scope="module", autouse=True)
def compiled(ward: MemoryWard) -> None:
    """The body is compiled before a page waits for it."""
    ward.body_answers.body("sim-003")
    ward.body_answers.forecast("sim-003", 1.0)


@pytest.fixture(autouse=True)
def standing(ward: MemoryWard) -> Iterator[None]:
    yield
    ward.bodies.standing.clear()
    ward.bodies.without.clear()


def opened(open_page: Opener, **how: Any) -> Page:
    page = open_page(PATIENT, **how)
    expect(page.locator("#wi-add-action")).to_be_enabled()
    return page


def give(page: Page, name: str, value: str, unit: str = "", minutes: str = "") -> None:
    page.locator("#wi-add-action").click()
    row = page.locator("#wi-actions li").last
    row.locator("select").nth(0).select_option(name)
    if unit:
        row.locator("select").nth(1).select_option(unit)
    row.locator('[data-part="value"]').fill(value)
    row.locator('[data-part="lasts"]').fill(minutes)


def compare(page: Page) -> None:
    page.locator("#wi-form button[type=submit]").click()
    expect(page.locator("#wi-charts figure").first).to_be_visible(timeout=60_000)


def test_the_card_shows_what_the_service_says(open_page: Opener, served: Serving) -> None:
    page = open_page(PATIENT)
    body = httpx.get(f"{served.url}/api/v1{PATIENT}/body").json()["body"]
    shown = page.evaluate(ESTIMATES)
    assert [row[0] for row in shown] == [one["name"] for one in body["estimates"]]
    for row, one in zip(shown, body["estimates"], strict=True):
        decimals = one["decimals"]
        assert row[2] == present.fixed(one["median"], decimals)
        assert row[3] == f"{present.fixed(one['low'], decimals)} to {present.fixed(one['high'], decimals)}"
        assert row[5] == present.share(one["from_data"])
    card = page.locator("#body")
    for said in ("simulated by a model; not measured", "Follows this patient", "believed before any data", "members"):
        expect(card).to_contain_text(said)


def test_the_script_takes_the_card_over_without_changing_a_word(open_page: Opener) -> None:
    page = open_page(PATIENT)
    page.wait_for_function("() => !document.querySelector('#wi-add-action').disabled")
    drawn = page.evaluate(ESTIMATES)
    page.route("**/body", lambda route: route.fulfill(status=503, json={}))
    page.context.add_init_script("window.fetch = async () => new Response('{}', { status: 503 });")
    page.reload()
    assert page.evaluate(ESTIMATES) == drawn != []


@pytest.mark.parametrize(("status", "said"), [("lost", "Has lost this patient: do not use it"),
                                              ("outside", "Not made for this patient")])  # fmt: skip
def test_a_body_not_to_be_used_shows_nothing(open_page: Opener, ward: MemoryWard, status: str, said: str) -> None:
    ward.bodies.standing[3] = (status, "for a test")
    page = open_page(PATIENT)
    expect(page.locator("#body-standing")).to_have_text(f"{said}: for a test.")
    expect(page.locator("#estimates")).to_be_hidden()
    expect(page.locator("#forecast")).to_be_hidden()
    expect(page.locator("#wi-add-action")).to_be_disabled()
    expect(page.locator(".chart")).to_have_count(6)


def test_without_a_body_the_page_is_as_it_was(open_page: Opener, ward: MemoryWard) -> None:
    ward.bodies.without.add(3)
    page = open_page(PATIENT)
    expect(page.locator("#body-standing")).to_contain_text("No body")
    expect(page.locator(".chart")).to_have_count(6)
    expect(page.locator(".fan")).to_have_count(0)


def test_a_forecast_is_drawn_and_said_and_can_be_put_away(open_page: Opener, served: Serving) -> None:
    page = open_page(PATIENT)
    fans = page.locator(".chart .fan")
    expect(fans).to_have_count(4)
    forecast = httpx.get(f"{served.url}/api/v1{PATIENT}/forecast?hours=6").json()["forecast"]
    rate = next(one for one in forecast["outputs"] if one["concept"] == "heart_rate")
    low, middle, high = (f"{rate['bands'][row][-1]:.0f}" for row in (0, 2, 4))
    expect(fans.first).to_have_text(f"simulated forecast, in 6 h {middle} (90 %: {low} to {high})")
    button = page.locator("#forecast")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(fans).to_have_count(0)
    expect(button).to_have_attribute("aria-pressed", "false")
    page.locator('button[data-hours="1"]').click()
    button.click()
    expect(fans.first).to_contain_text("in 1 h")


def test_a_bolus_is_compared_with_doing_nothing(open_page: Opener) -> None:
    page = opened(open_page)
    give(page, "crystalloid", "1000", "mL", "60")
    compare(page)
    results = page.locator("#wi-results")
    expect(results).to_contain_text("Hypothetical, simulated.")
    pressure = results.locator('[data-output="mean_pressure"]')
    expect(pressure.locator("[data-verdict]")).to_have_text("rises")
    expect(pressure).to_contain_text("%")
    expect(results.locator('[data-risk="sepsis_risk"]')).to_contain_text("the model's sensitivity, not a causal effect")
    expect(results.locator('[data-risk="news2"]')).to_contain_text("by its fixed rule")
    figures = page.locator("#wi-charts figure")
    shown = figures.count()
    results.locator('[data-output="blood_volume"] input').set_checked(True)
    expect(figures).to_have_count(shown + 1)
    assert page.locator("#wi-charts canvas").count() == 2 * (shown + 1)


def test_an_edit_is_compared_too(open_page: Opener) -> None:
    page = opened(open_page)
    page.locator("#wi-add-edit").click()
    row = page.locator("#wi-edits li")
    row.locator("select").select_option("lactate")
    expect(row.locator(".hint")).to_contain_text("read by scores and risk models only")
    row.locator("input").fill("8")
    compare(page)
    expect(page.locator("#wi-results .notes")).to_contain_text("Lactate: the body does not compute it")
    expect(page.locator('[data-risk="news2"]')).to_contain_text("sensitivity")


def test_outside_the_domain_it_says_so_and_a_slip_is_explained(open_page: Opener) -> None:
    page = opened(open_page)
    give(page, "norepinephrine", "50")
    page.locator("#wi-form button[type=submit]").click()
    expect(page.locator("#wi-error")).to_contain_text("Dose or rate")
    row = page.locator("#wi-actions li")
    row.locator('[data-part="value"]').evaluate("(node) => node.removeAttribute('max')")
    page.locator("#wi-form button[type=submit]").click()
    expect(page.locator("#wi-results .outside")).to_contain_text("Outside the model's domain.")
    row.locator('[data-part="value"]').fill("")
    page.locator("#wi-form button[type=submit]").click()
    expect(page.locator("#wi-error")).to_be_visible()


def test_a_scenario_is_saved_loaded_and_deleted(open_page: Opener) -> None:
    page = opened(open_page)
    give(page, "norepinephrine", "0.1", minutes="45")
    page.locator("#wi-name").fill("pressor for a while")
    page.locator("#wi-save").click()
    expect(page.locator("#said")).to_have_text("Saved pressor for a while.")
    page.reload()
    expect(page.locator("#wi-add-action")).to_be_enabled()
    page.locator("#wi-saved").select_option(label="pressor for a while")
    page.locator("#wi-load").click()
    row = page.locator("#wi-actions li")
    expect(row.locator("select").nth(0)).to_have_value("norepinephrine")
    expect(row.locator('[data-part="value"]')).to_have_value("0.1")
    expect(row.locator('[data-part="lasts"]')).to_have_value("45")
    page.locator("#wi-delete").click()
    expect(page.locator("#said")).to_have_text("Deleted.")
    expect(page.locator("#wi-saved option")).to_have_count(1)


def test_by_keyboard_alone(open_page: Opener) -> None:
    page = opened(open_page)
    page.locator("#wi-add-action").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.ariaLabel") == "Intervention"
    page.keyboard.type("Cry")
    page.keyboard.press("Tab")
    page.keyboard.type("20")
    page.keyboard.press("Enter")
    expect(page.locator("#wi-charts figure").first).to_be_visible(timeout=60_000)
    page.locator('#wi-actions button[aria-label="Remove this intervention"]').focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "wi-add-action"


@pytest.mark.parametrize("width", [1600, 1024, 390])
def test_axe_finds_nothing_with_an_answer_shown(open_page: Opener, width: int) -> None:
    page = opened(open_page, width=width)
    give(page, "crystalloid", "1000", "mL", "60")
    page.locator("#wi-add-edit").click()
    compare(page)
    assert violations(page) == [], "light"
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert violations(page, *COLOUR_RULES) == [], "dark"


def test_nothing_is_cut_off_at_320_px_with_an_answer_shown(open_page: Opener) -> None:
    page = opened(open_page, width=320, height=640)
    give(page, "crystalloid", "1000", "mL", "60")
    compare(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
