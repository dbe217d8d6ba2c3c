"""The report of an evaluation: a page that stands alone, plots, an honest card, the source paper's table."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation_support import evaluated, hourly_cohort, stay_cohort
from vitruvian.prediction.report import card as cards
from vitruvian.prediction.report import source_paper, write_report
from vitruvian.prediction.report.plots import plots_of
from vitruvian.prediction.report.words import interval, number, percent, shares

BUNDLE = {
    "version": "1.2.3",
    "data": "training data <of> a test",
    "intended_use": "Adults in intensive care.",
    "limits": ["Trained on one hospital."],
    "members": [{"name": "lstm", "kind": "recurrent", "features": ["heart_rate", "lactate"]}],
}
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """What a page is made of; fails where an element is closed that was not opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.feed(text)
        assert not self.opened, f"left open: {self.opened}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.opened.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag, f"</{tag}> closes another element"

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.found if name == tag]


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return evaluated(hourly_cohort())


@pytest.fixture(scope="module")
def folder(told: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "sepsis"
    written = write_report(out, BUNDLE, told)
    assert all(path.is_file() and path.stat().st_size for path in written)
    return out


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report.html").read_text("utf-8")


def test_every_file_is_there_and_small(folder: Path) -> None:
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    plots = ("roc", "precision_recall", "calibration", "decision_curve", "alarms", "lead_time", "groups")
    assert names == {
        "report.html", "evaluation.json", "evaluation.md", "card.md", "card.json", "source_paper.md",
        "source_paper.json", *(f"plots/{name}.{kind}" for name in plots for kind in ("svg", "png")),
    }  # fmt: skip
    assert all(path.stat().st_size < 400_000 for path in folder.rglob("*"))


def test_the_json_files_hold_no_nan(folder: Path) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(f"found {name}")

    for path in folder.glob("*.json"):
        json.loads(path.read_text("utf-8"), parse_constant=refuse)


def test_the_page_stands_alone(page: str) -> None:
    made = Page(page)
    assert "://" not in page
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)
    assert not made.all("script")
    for _, attrs in made.found:
        assert not any(name.startswith("on") for name in attrs)
        target = attrs.get("href") or attrs.get("src") or "#"
        assert target.startswith("#"), target


def test_ids_are_unique_and_every_reference_has_one(page: str) -> None:
    made = Page(page)
    ids = [attrs["id"] for _, attrs in made.found if "id" in attrs]
    assert len(ids) == len(set(ids))
    wanted = {attrs["href"][1:] for _, attrs in made.found if (attrs.get("href") or "").startswith("#")}
    wanted |= set(re.findall(r"url\(#([^)]+)\)", page))
    for _, attrs in made.found:
        wanted |= set((attrs.get("aria-labelledby") or "").split())
    assert wanted <= set(ids), wanted - set(ids)


def test_the_page_can_be_read_without_seeing_it(page: str) -> None:
    made = Page(page)
    assert made.headings[0] == 1
    assert made.headings.count(1) == 1
    steps = zip(made.headings, made.headings[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps), "no level of heading is skipped"
    drawings = [attrs for attrs in made.all("svg") if attrs.get("role") == "img"]
    assert len(drawings) == len(made.all("svg")) == 7
    assert len(made.all("caption")) == len(made.all("table")) >= 6
    assert all(attrs.get("scope") in {"col", "row"} for attrs in made.all("th"))
    assert made.all("html")[0]["lang"] == "en"
    assert all(attrs.get("tabindex") == "0" and attrs.get("aria-label") for attrs in made.all("div") if
               attrs.get("class") == "scroll")  # fmt: skip


def test_colours_follow_the_theme(page: str) -> None:
    """Every colour of a drawing is a variable that both themes set."""
    drawings = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert not re.findall(r"#[0-9a-f]{6}\b", drawings)
    used = set(re.findall(r"var\(--([\w-]+)\)", page))
    css = page[page.index("<style>") : page.index("</style>")]
    light, dark = css.split("prefers-color-scheme: dark", 1)
    assert used <= set(re.findall(r"--([\w-]+):", light))
    drawn = set(re.findall(r"var\(--([\w-]+)\)", drawings))
    assert drawn <= set(re.findall(r"--([\w-]+):", dark))


def test_simulated_and_not_validated_stand_at_the_top_and_in_every_file(folder: Path, page: str) -> None:
    head = page[: page.index("</header>")]
    assert "Simulated data" in head
    assert "Not validated" in head
    assert "simulated" in (folder / "evaluation.md").read_text("utf-8").splitlines()[0]
    assert "**Simulated data.**" in (folder / "card.md").read_text("utf-8")
    assert "simulated" in (folder / "source_paper.md").read_text("utf-8")


def test_a_real_evaluation_bears_no_such_mark(tmp_path: Path) -> None:
    write_report(tmp_path, {}, evaluated(replace(hourly_cohort(), simulated=False)))
    head = (tmp_path / "report.html").read_text("utf-8").split("</header>")[0]
    assert "Simulated data" not in head
    assert "Not validated" not in head


def test_text_from_outside_is_escaped(told: dict[str, Any], tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    write_report(tmp_path, BUNDLE | {"version": evil}, told | {"data": evil, "notes": [evil], "model": evil})
    text = (tmp_path / "report.html").read_text("utf-8")
    assert evil not in text
    assert "&lt;script&gt;" in text


def test_a_task_told_once_a_stay_has_no_alarms(tmp_path: Path) -> None:
    write_report(tmp_path, BUNDLE, evaluated(stay_cohort(), name="mortality24"))
    text = (tmp_path / "report.html").read_text("utf-8")
    Page(text)
    assert "Event 1" in text
    assert 'id="alarms"' not in text
    assert not (tmp_path / "plots" / "alarms.svg").exists()


def test_the_same_evaluation_gives_the_same_bytes(told: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    write_report(tmp_path, BUNDLE, told)
    for path in sorted(folder.rglob("*.*")):
        assert path.read_bytes() == (tmp_path / path.relative_to(folder)).read_bytes(), path.name


def test_the_card_says_what_is_absent(told: dict[str, Any]) -> None:
    card = cards.card_of(BUNDLE, told)
    items = {each["item"]: each for each in card["items"]}
    assert items["18a"]["answer"] == cards.ABSENT
    assert not items["18a"]["stated"]
    assert "2 columns" in items["9a-c"]["answer"]
    assert "say nothing about patients" in items["26"]["answer"]
    assert items["25"]["answer"].startswith("Not validated")
    bare = {each["item"]: each for each in cards.card_of({}, told)["items"]}
    assert bare["9a-c"]["answer"] == bare["12a-g"]["answer"] == cards.ABSENT
    numbers = {int(match) for item in items for match in re.findall(r"^\d+", item)}
    assert numbers >= {*range(1, 21), *range(22, 28)}


# --- the source paper -----------------------------------------------------------


@pytest.mark.parametrize("model", source_paper.PAPER)
def test_the_papers_prevalence_gives_its_own_figures_back(model: str) -> None:
    accuracy, precision, recall, f1 = source_paper.PAPER[model]
    share = source_paper.implied_prevalence(accuracy, precision, recall)
    hit, false = share * recall, share * recall * (1 - precision) / precision
    missed, right = share - hit, 1 - share - false
    assert right > 0
    assert hit + right == pytest.approx(accuracy)
    assert 2 * hit / (2 * hit + false + missed) == pytest.approx(f1, abs=0.005)
    assert 0.4 < share < 0.45


def test_the_table_has_both_and_says_why_they_do_not_compare(told: dict[str, Any], folder: Path) -> None:
    table = source_paper.beside(told)
    assert table is not None
    for each in table["models"]:
        row = next(row for row in told["rows"] if row["score"] == each["model"])
        matrix = each["ours"]["confusion"]
        assert sum(matrix.values()) == told["counts"]["rows"]
        hits, false = matrix["true_positives"], matrix["false_positives"]
        assert hits / (hits + false) == pytest.approx(row["precision"], abs=1e-5)
        share, same = each["paper"]["implied_prevalence"], each["ours_at_paper_prevalence"]
        assert same["accuracy"] == pytest.approx(share * row["recall"] + (1 - share) * row["specificity"])
    text = (folder / "source_paper.md").read_text("utf-8")
    assert "| LSTM | paper | 0.920 | 0.910 | 0.900 | 0.905 |" in text
    assert "Why the two are not comparable" in text
    assert "| never alarming | ours |" in text


def test_an_evaluation_without_the_three_models_has_no_such_table(told: dict[str, Any]) -> None:
    fewer = told | {"rows": [row for row in told["rows"] if row["score"] != "LSTM"]}
    assert source_paper.beside(fewer) is None
    named = source_paper.beside(told, {"LSTM": "model"})
    assert named is not None
    assert named["models"][2]["ours"]["score"] == "model"


def test_many_models_stay_readable_and_the_plain_ones_are_those_compared(told: dict[str, Any]) -> None:
    plain = {row["score"]: row for row in told["rows"]}
    extra = [plain["LSTM"] | {"score": f"lstm_variant_{number}"} for number in range(9)]
    rows = [plain["model"], *extra, *(row for name, row in plain.items() if name != "model")]
    many = told | {"rows": rows, "curves": told["curves"] | {row["score"]: told["curves"]["LSTM"] for row in extra}}
    roc = next(plot for plot in plots_of(many) if plot.name == "roc")
    assert roc.svg.count("lstm_variant") < 9
    for name in ("logistic regression", "random forest", "LSTM"):
        assert name in roc.svg
    table = source_paper.beside(many)
    assert table is not None
    assert table["models"][2]["ours"]["score"] == "LSTM"


def test_speed_is_shown_where_it_was_measured(told: dict[str, Any], tmp_path: Path) -> None:
    rows = [told["rows"][0] | {"latency_ms_p50": 0.42, "updates_per_s": 31_000}, *told["rows"][1:]]
    write_report(tmp_path, BUNDLE, told | {"rows": rows})
    assert "How fast each is served" in (tmp_path / "report.html").read_text("utf-8")
    assert "| **model** | 0.420 |" in (tmp_path / "evaluation.md").read_text("utf-8")


def test_figures_as_people_read_them() -> None:
    assert number(None) == number("x") == "–"
    assert (number(-0.0001), number(-0.5, 1), number(3, 0)) == ("0.000", "−0.5", "3")
    assert interval({"a": 0.5, "a_95": [0.4, 0.61]}, "a", 2) == "0.50 (0.40 to 0.61)"
    assert interval({"a": 0.5, "a_95": [None, None]}, "a", 2) == "0.50"
    assert shares({"a": 0.37, "a_95": [0.23, 0.52]}, "a") == "37 % (23 to 52 %)"
    assert percent(0.0219, 2) == "2.19 %"
