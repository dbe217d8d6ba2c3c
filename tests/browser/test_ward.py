"""The ward in a real browser: what it shows is what the service says, and what it cannot know it does not show."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.support import limit_s
from vitruvian.dashboard import present
from vitruvian.testing.server import Serving
from vitruvian.testing.ward import MemoryWard

pytestmark = pytest.mark.browser

SHOWN = """() => Object.fromEntries([...document.querySelectorAll('#beds .bed')].map((row) => [row.dataset.id, {
    lane: row.dataset.lane,
    name: row.querySelector('.name a').childNodes[1].textContent,
    news2: row.querySelector('.badge').textContent,
    percent: row.querySelector('.risk b').textContent,
    interval: row.querySelector('.risk small').textContent,
    spark: row.querySelector('.spark path').getAttribute('d'),
    alarm: row.querySelector('.alarm').textContent.trim(),
    tags: row.querySelector('.tags').textContent,
    driver: row.querySelector('.why > small').textContent,
    vitals: Object.fromEntries([...row.querySelectorAll('.v')].map((cell) =>
        [cell.dataset.c, [cell.querySelector('b').textContent, cell.dataset.state, cell.dataset.points ?? '']])),
}]))"""


def snapshot(served: Serving) -> dict[str, Any]:
    body: dict[str, Any] = httpx.get(served.url + "/api/v1/patients").json()
    return body


def wait_for_seq(page: Page, seq: int) -> None:
    page.wait_for_function("(seq) => Number(document.querySelector('#beds').dataset.seq) >= seq", arg=seq)


def test_the_page_shows_what_the_service_says_for_the_same_seq(
    open_page: Opener, served: Serving, ward: MemoryWard
) -> None:
    page = open_page("/")
    for _ in range(5):
        ward.step(1.0)
        page.wait_for_timeout(120)
    body = snapshot(served)
    wait_for_seq(page, body["seq"])
    shown = page.evaluate(SHOWN)
    assert len(shown) == len(body["patients"]) == 24
    columns = {column["concept"]: column for column in body["columns"]}
    for row in body["patients"]:
        one = shown[row["id"]]
        assert one["lane"] == row["lane"]
        assert one["news2"] == row["news2"]["text"]
        assert one["percent"] == present.percent(row["risk"]["probability"])
        assert one["spark"] == present.spark_path(row["risk"]["spark"])
        assert bool(one["alarm"]) == bool(row["alarm"])
        for concept in ("heart_rate", "respiratory_rate", "oxygen_saturation", "body_temperature"):
            cell = row["vitals"][concept]
            assert one["vitals"][concept][0] == f"{cell['value']:.{columns[concept]['decimals']}f}"
            assert one["vitals"][concept][1:] == ["live", str(cell["points"])]
        pair = [f"{row['vitals'][name]['value']:.0f}" for name in ("systolic_pressure", "diastolic_pressure")]
        assert one["vitals"]["systolic_pressure"][0] == "/".join(pair)


def test_the_script_takes_over_without_changing_a_word(open_page: Opener, served: Serving) -> None:
    """What the server rendered and what the script draws come from two copies of the same rules: they must agree."""
    page = open_page("/")
    drawn = page.evaluate(SHOWN)
    page.context.add_init_script("window.EventSource = class { addEventListener() {} close() {} };")
    page.reload()
    rendered = page.evaluate(SHOWN)
    assert rendered == drawn


def test_a_new_value_is_in_the_page_at_once(open_page: Opener, ward: MemoryWard) -> None:
    page = open_page("/")
    ward.step(1.0)
    cell = page.locator('[data-id="sim-005"] [data-c="heart_rate"] b')
    ward.set_value("sim-005", "heart_rate", 57.0)
    expect(cell).to_have_text("57", timeout=limit_s(1.0) * 1e3)


@pytest.mark.parametrize(
    ("respiratory_rate", "points"),
    [(8, 3), (9, 1), (11, 1), (12, 0), (20, 0), (21, 2), (24, 2), (25, 3)],
)
def test_news2_bands_at_their_boundaries(
    open_page: Opener, ward: MemoryWard, respiratory_rate: int, points: int
) -> None:
    page = open_page("/")
    ward.set_value("sim-006", "respiratory_rate", float(respiratory_rate))
    cell = page.locator('[data-id="sim-006"] [data-c="respiratory_rate"]')
    expect(cell.locator("b")).to_have_text(str(respiratory_rate))
    expect(cell).to_have_attribute("data-points", str(points))
    expect(cell.locator("i")).to_have_text(str(points) if points else "")  # not by colour alone


def test_a_silent_monitor_goes_stale_then_is_unknown_and_comes_back(open_page: Opener, ward: MemoryWard) -> None:
    page = open_page("/")
    ward.step(1.0)
    ward.step(1.0)
    cell = page.locator('[data-id="sim-007"] [data-c="heart_rate"]')
    other = page.locator('[data-id="sim-008"] [data-c="heart_rate"]')
    expect(cell).to_have_attribute("data-state", "live")
    ward.freeze("sim-007")
    for _ in range(8):
        ward.step(1.0)
    expect(cell).to_have_attribute("data-state", "stale")
    expect(cell.locator("small")).to_have_text("8 s")
    assert "repeating-linear-gradient" in cell.evaluate("(node) => getComputedStyle(node).backgroundImage")
    expect(other).to_have_attribute("data-state", "live")
    ward.step(3_700.0)
    expect(cell).to_have_attribute("data-state", "expired")
    expect(cell.locator("b")).to_have_text("--")
    expect(page.locator('[data-id="sim-007"] .age')).to_have_text("1 h")
    ward.freeze("sim-007", False)
    ward.step(1.0)
    expect(cell).to_have_attribute("data-state", "live")
    expect(cell.locator("b")).not_to_have_text("--")


def test_values_age_while_nothing_is_heard(open_page: Opener, ward: MemoryWard) -> None:
    """The page's own clock carries on between frames: a value does not stay fresh because nothing came.

    (The clock of the test's ward stands still, so each heartbeat sets the page back to 0 s.)
    """
    page = open_page("/")
    ward.step(1.0)
    age = page.locator('[data-id="sim-009"] .age')
    expect(age).to_have_text("0 s")
    expect(age).to_have_text("1 s", timeout=30_000)


def test_a_lost_connection_is_said_within_five_seconds_and_mends(
    open_page: Opener, served: Serving, ward: MemoryWard
) -> None:
    page = open_page("/", offline_allowed=True)
    served.stop()
    expect(page.locator("#lost")).to_be_visible(timeout=limit_s(5.0) * 1e3)
    expect(page.locator("#lost")).to_contain_text("Nothing here is live")
    expect(page.locator("#connection")).to_have_text("connection lost")
    assert page.locator("html").get_attribute("data-connection") == "lost"
    served.start()
    expect(page.locator("#lost")).to_be_hidden(timeout=60_000)
    ward.set_value("sim-005", "heart_rate", 71.0)
    expect(page.locator('[data-id="sim-005"] [data-c="heart_rate"] b')).to_have_text("71")


def test_an_alarm_is_acknowledged_by_keyboard_alone(open_page: Opener, ward: MemoryWard) -> None:
    page = open_page("/")
    ward.set_value("sim-010", "heart_rate", 151.0)
    line = page.locator('#alarms li[data-alert="sim-010.heart_rate>130"]')
    expect(line.locator(".alarm")).to_have_text("*** HR 151 > 130")
    assert "HR 151 > 130" in (page.locator("#said").text_content() or "")
    line.locator("button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#settle")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("on the way")
    page.keyboard.press("Enter")
    expect(page.locator("#settle")).to_be_hidden()
    expect(line).to_contain_text("acknowledged by local user: Seen, patient attended: on the way")
    expect(line.locator("button")).to_have_count(0)
    # The keyboard keeps its place: on the next alarm's button, or on the heading where no other is open.
    others = page.locator("#alarms button").count()
    at = page.evaluate("document.activeElement.closest('#alarms li')?.dataset.alert ?? document.activeElement.id")
    assert at == "alarms-title" if not others else at not in ("", "sim-010.heart_rate>130")


def test_the_dialog_asks_for_a_reason(open_page: Opener, ward: MemoryWard) -> None:
    page = open_page("/")
    ward.set_value("sim-011", "heart_rate", 151.0)
    page.locator('#alarms li[data-alert="sim-011.heart_rate>130"] button').click()
    page.locator('select[name="reason"]').select_option("")
    page.locator("#settle .primary").click()
    expect(page.locator("#settle-error")).to_have_text("Say why, in a few words.")
    page.keyboard.press("Escape")
    expect(page.locator("#settle")).to_be_hidden()


def test_flashing_is_within_the_standard_and_still_for_those_who_ask(open_page: Opener, ward: MemoryWard) -> None:
    ward.set_value("sim-012", "heart_rate", 152.0)
    page = open_page("/")
    for priority, low_hz, high_hz in (("3", 1.4, 2.8), ("2", 0.4, 0.8)):
        symbol = page.locator(f'#alarms .alarm[data-priority="{priority}"] .sym').first
        duration = symbol.evaluate("(node) => parseFloat(getComputedStyle(node).animationDuration)")
        assert low_hz <= 1 / duration <= high_hz
    page.emulate_media(reduced_motion="reduce")
    assert page.locator("#alarms .sym").first.evaluate("(node) => getComputedStyle(node).animationName") == "none"


def order(page: Page) -> list[str]:
    found: list[str] = page.evaluate("[...document.querySelectorAll('#beds .bed')].map((row) => row.dataset.id)")
    return found


def test_rows_are_sorted_by_risk_and_a_row_looked_at_stays(
    open_page: Opener, served: Serving, ward: MemoryWard
) -> None:
    page = open_page("/")
    page.locator("#sort-now").click()
    first = order(page)
    risks = {row["id"]: row["risk"]["probability"] for row in snapshot(served)["patients"]}
    assert all(risks[a] > risks[b] - 0.031 for a, b in itertools.pairwise(first))
    last = first[-1]
    ward.set_value(last, "heart_rate", 190.0)
    ward.set_value(last, "systolic_pressure", 60.0)
    expect(page.locator(f'[data-id="{last}"] [data-c="heart_rate"] b')).to_have_text("190")
    assert order(page) == first  # nothing jumps between sorts
    page.locator(f'[data-id="{last}"] .name a').focus()
    page.evaluate("window.scrollTo(0, 0)")
    expect(page.locator("#sorted")).to_contain_text("again every 10 s")
    page.wait_for_timeout(10_800)
    assert order(page)[-1] == last  # it has the focus: not moved
    page.locator("#sort-now").click()
    assert order(page).index(last) <= 3  # past all but those within the margin
    page.locator("#pause").click()
    assert "paused" in page.url


def test_small_differences_do_not_reorder(open_page: Opener) -> None:
    page = open_page("/")
    script = """async ([before, by]) => {
        const base = document.querySelector('script[type=module]').src;
        const { reorder } = await import(base.replace('ward.js', 'order.js'));
        const rows = before.map(([id, risk, score, lane]) => (
            { id, bed: id, risk: { probability: risk }, news2: { value: score }, lane }));
        return reorder(rows, by).map((row) => row.id);
    }"""

    def ordered(by: str, *rows: tuple[str, float | None, int, str]) -> list[str]:
        found: list[str] = page.evaluate(script, [list(map(list, rows)), by])
        return found

    assert ordered("risk", ("a", 0.30, 1, "low"), ("b", 0.32, 1, "low")) == ["a", "b"]
    assert ordered("risk", ("a", 0.30, 1, "low"), ("b", 0.34, 1, "low")) == ["b", "a"]
    assert ordered("risk", ("a", None, 1, "low"), ("b", None, 9, "emergency"), ("c", 0.01, 0, "routine")) == [
        "c",
        "b",
        "a",
    ]
    assert ordered("severity", ("a", 0.9, 1, "low"), ("b", 0.1, 7, "emergency")) == ["b", "a"]
    assert ordered("bed", ("10", 0.9, 1, "low"), ("9", 0.1, 1, "low")) == ["9", "10"]


def test_filters_live_in_the_address(open_page: Opener) -> None:
    page = open_page("/")
    page.locator('.lane[data-lane="emergency"]').click()
    assert "lane=emergency" in page.url
    page.reload()
    page.wait_for_selector('#connection[data-state="live"]')
    visible = page.locator("#beds .bed:visible")
    lanes = visible.evaluate_all("(rows) => rows.map((row) => row.dataset.lane)")
    assert lanes and set(lanes) == {"emergency"}
    page.locator('.lane[data-lane="emergency"]').click()
    page.locator("#find").fill("tanaka")
    expect(visible).to_have_count(1)
    assert "find=tanaka" in page.url
    page.locator("#find").fill("nobody at all")
    expect(page.locator("#none")).to_be_visible()


def test_density_kiosk_and_theme(open_page: Opener) -> None:
    page = open_page("/")
    tall = page.locator("#beds .bed").first.bounding_box()
    page.locator("#density").click()
    short = page.locator("#beds .bed").first.bounding_box()
    assert tall and short and short["height"] < tall["height"]
    page.locator("#kiosk").click()
    expect(page.locator("#sort-now")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#sort-now")).to_be_visible()
    page.locator("#theme").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_from_the_ward_to_a_patient_and_back_by_keyboard(open_page: Opener) -> None:
    page = open_page("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.locator("#beds .name a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/patients/**")
    page.wait_for_selector('#connection[data-state="live"]')
    page.locator(".brand").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#beds")


def test_the_first_page_is_small_and_quick(open_page: Opener, served: Serving) -> None:
    page = open_page("/", live=False)
    page.wait_for_load_state("load")
    size = page.evaluate("""[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]
        .filter((entry) => !entry.name.includes('/stream')).reduce((sum, entry) => sum + entry.transferSize, 0)""")
    assert 0 < size < 150_000
