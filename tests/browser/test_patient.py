"""A patient's page in a real browser."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener
from vitruvian.testing.server import Serving
from vitruvian.testing.ward import MemoryWard

pytestmark = pytest.mark.browser


def test_header_vitals_and_age_are_live(open_page: Opener, ward: MemoryWard) -> None:
    page = open_page("/patients/sim-003")
    ward.step(1.0)
    ward.set_value("sim-003", "heart_rate", 101.0)
    expect(page.locator('.now [data-c="heart_rate"] b')).to_have_text("101")
    expect(page.locator('.now [data-c="heart_rate"]')).to_have_attribute("data-points", "1")
    expect(page.locator(".patient")).to_contain_text("Allergies")
    expect(page.locator(".patient")).to_contain_text("not recorded")
    ward.freeze("sim-003")
    for _ in range(7):
        ward.step(1.0)
    expect(page.locator('.now [data-c="heart_rate"]')).to_have_attribute("data-state", "stale")
    ward.freeze("sim-003", False)


def test_trends_share_one_cursor_and_have_a_table(open_page: Opener) -> None:
    page = open_page("/patients/sim-003")
    charts = page.locator(".chart")
    expect(charts).to_have_count(6)
    expect(charts.first.locator(".summary")).to_contain_text("newest")
    box = charts.first.locator(".u-over").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    readings = charts.locator(".reading")
    times = {text.split("  ")[0] for text in readings.all_text_contents()[:2]}
    assert len(times) == 1
    assert times != {""}
    charts.first.locator("summary").click()
    expect(charts.first.locator("tbody tr")).to_have_count(24)
    page.locator('button[data-hours="24"]').click()
    expect(charts.first.locator(".summary")).to_contain_text("in 24 h")
    assert "hours=24" in page.url


def test_a_live_value_joins_the_trend(open_page: Opener, ward: MemoryWard) -> None:
    page = open_page("/patients/sim-004")
    summary = page.locator(".chart .summary").first
    expect(summary).to_contain_text("newest")
    ward.step(1.0)
    ward.set_value("sim-004", "heart_rate", 166.0)
    ward.step(0.001)
    ward.set_value("sim-004", "heart_rate", 167.0)
    expect(summary).to_contain_text("to 167", timeout=3000)


def test_labs_are_flagged_and_the_risk_card_is_honest(open_page: Opener, served: Serving) -> None:
    page = open_page("/patients/sim-003")
    twin = httpx.get(served.url + "/api/v1/patients/sim-003/twin").json()["twin"]
    for row in (row for row in twin["rows"] if row["kind"] == "lab"):
        line = page.locator(f'#labs tr[data-concept="{row["concept"]}"]')
        expect(line.locator(".flag")).to_have_text({"H": "▲ high", "L": "▼ low", "": ""}[row["flag"]])
    card = page.locator('section[aria-labelledby="risk-sepsis"]')
    for said in (
        "within 6 h",
        "interval",
        "in 100 similar patients",
        "not its cause",
        "Missing inputs",
        "Model",
        "not an alarm",
    ):
        expect(card).to_contain_text(said)
    assert card.locator(".attribution li").count() <= 5


def test_every_target_has_a_card_that_says_what_it_must(open_page: Opener) -> None:
    page = open_page("/patients/sim-003")
    cards = page.locator(".risk-card")
    assert cards.evaluate_all("all => all.map((one) => one.dataset.task)") == [
        "sepsis",
        "aki",
        "mortality24",
        "cardiac_event",
        "deterioration",
    ]
    for task, said in {
        "aki": ("within 6 h", "interval", "within its logistic regression alone", "steady over the last hours"),
        "mortality24": ("--", "too early: told once 24 h have been observed; so far 9 h"),
        "cardiac_event": ("<1 %", "Not validated: no labelled data", "Not evaluated on held-out patients"),
        "deterioration": ("--", "insufficient data: 2 of 5 vital signs are recent"),
    }.items():
        for words in said:
            expect(page.locator(f'.risk-card[data-task="{task}"]')).to_contain_text(words)
    expect(page.locator(".not-validated")).to_have_count(1)
    lesser = page.locator('.risk-card[data-task="aki"]')
    assert not lesser.locator("dl").is_visible()
    lesser.locator("summary").focus()
    page.keyboard.press("Enter")
    assert lesser.locator("dl").is_visible()
    expect(lesser.locator("dl")).to_contain_text("LSTM")
    assert page.locator('.risk-card[data-task="sepsis"] dl').is_visible()


def test_cards_are_kept_up_to_date_and_what_is_open_stays_open(open_page: Opener, ward: MemoryWard) -> None:
    page = open_page("/patients/sim-002")
    page.evaluate("document.querySelectorAll('.risk-card').forEach((one) => one.dataset.old = '1')")
    page.locator('.risk-card[data-task="aki"] summary').click()
    page.locator('.risk-card[data-task="sepsis"] summary').click()  # closed by hand
    page.locator('.risk-card[data-task="cardiac_event"] .reasons').focus()
    ward.step(0.1)
    source = page.locator('script[src*="patient.js"]').get_attribute("src") or ""
    page.evaluate(
        "async (source) => (await import(source)).refreshRisks('sim-002')", source.replace("patient.js", "risks.js")
    )
    expect(page.locator(".risk-card")).to_have_count(5)
    assert page.locator(".risk-card[data-old]").evaluate_all("all => all.map((one) => one.dataset.task)") == [
        "cardiac_event"  # somebody is in it
    ]
    assert page.locator('.risk-card[data-task="aki"] dl').is_visible()
    assert not page.locator('.risk-card[data-task="sepsis"] dl').is_visible()


def test_every_input_of_a_risk_is_a_link_away(open_page: Opener) -> None:
    page = open_page("/patients/sim-003")
    link = page.locator('.risk-card[data-task="sepsis"] .reasons')
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("what moved the risk")
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("main")).to_contain_text("not its cause")
    page.get_by_role("link", name="Back to the patient").click()
    expect(page.locator(".risk-card")).to_have_count(5)


def test_the_state_as_it_was(open_page: Opener, served: Serving) -> None:
    page = open_page("/patients/sim-003")
    page.locator('input[name="at"]').fill("2026-01-01T05:30")
    page.locator('input[value="as_known"]').check()
    page.locator(".picker button").click()
    page.wait_for_url("**at=2026-01-01T05%3A30**")
    expect(page.locator(".fixed")).to_contain_text("as it was known at 01 Jan 05:30:00")
    for now in (
        ".now",
        ".patient .right",
        'section[aria-labelledby="alarms-title"]',
        'section[aria-labelledby="risk-sepsis"]',
    ):
        expect(page.locator(now)).to_be_hidden()  # the past is never mixed with what is so now
    then = httpx.get(served.url + "/api/v1/patients/sim-003/twin?as_known=2026-01-01T05:30:00Z").json()["twin"]
    for row in (row for row in then["rows"] if row["kind"] == "vital"):
        line = page.locator(f'#state tr[data-concept="{row["concept"]}"] td').nth(1)
        expect(line).to_have_text(row["text"] if row["state"] in ("live", "stale") else "--")
    page.locator(".fixed a").click()
    expect(page.locator(".fixed")).to_have_count(0)


def test_an_empty_window_leads_to_the_newest_data(open_page: Opener, ward: MemoryWard) -> None:
    ward.freeze("sim-006")
    ward.step(2 * 3600.0)
    page = open_page("/patients/sim-006?hours=1")
    nothing = page.locator("#nothing")
    expect(nothing).to_contain_text("Nothing measured in this window; newest data 01 Jan")
    page.locator('button[data-hours="24"]').click()
    expect(nothing).to_be_hidden()
    page.locator('button[data-hours="1"]').click()
    nothing.locator("a").click()
    page.wait_for_url("**at=2026-01-01*")
    expect(page.locator(".chart .summary").first).to_contain_text("in 1 h")
    expect(page.locator("#nothing")).to_be_hidden()
    ward.freeze("sim-006", False)
    ward.step(1.0)


def test_tables_take_over_without_changing_a_word(open_page: Opener) -> None:
    page = open_page("/patients/sim-005")
    tables = "['#state tbody', '#labs tbody', '#timeline'].map((s) => document.querySelector(s).innerText)"
    before = page.evaluate(tables)
    page.evaluate("""async () => {
        const base = document.querySelector('script[type=module]').src;
        const { refreshTables } = await import(base.replace('patient.js', 'tables.js'));
        await refreshTables('sim-005', 'UTC');
    }""")
    assert page.evaluate(tables) == before
