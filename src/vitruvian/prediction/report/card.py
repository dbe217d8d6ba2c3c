"""The model card by TRIPOD+AI's items, for people and as JSON, made from a bundle and its evaluation alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vitruvian.prediction.report.card_items import ITEMS

__all__ = ["ABSENT", "card_of", "to_markdown"]

Told = Mapping[str, Any]
ABSENT: Final = "Absent: not stated for this model."
_FIGURES: Final = (
    "auroc", "auprc", "utility", "event1", "brier", "brier_skill", "calibration_slope", "calibration_intercept", "ece",
    "threshold", "accuracy", "precision", "recall", "specificity", "f1",
)  # fmt: skip


def card_of(bundle: Told, evaluation: Told) -> dict[str, Any]:
    """The card as JSON: every item with its answer and whether there was one, and the main figures."""
    items = []
    for item in ITEMS:
        answer = item.answer(bundle, evaluation)
        items.append(
            {
                "item": item.number,
                "section": item.section,
                "title": item.title,
                "answer": answer or ABSENT,
                "stated": answer is not None,
            }
        )
    figures = {
        key: evaluation[key]
        for name in _FIGURES
        for key in (name, f"{name}_95")
        if key in evaluation and (name != "utility" or evaluation["decision"] == "utility")
    }
    return {
        "form": "TRIPOD+AI (BMJ 2024;385:e078378)",
        "task": evaluation["task"],
        "title": evaluation["title"],
        "version": bundle.get("version"),
        "target": evaluation["target"],
        "validated": evaluation["validated"],
        "simulated": evaluation["simulated"],
        "data": evaluation["data"],
        "split": evaluation["split"],
        "counts": dict(evaluation["counts"]),
        "figures": figures,
        "items": items,
    }


def to_markdown(card: Told) -> str:
    """The card for people."""
    version = f" {card['version']}" if card["version"] else ""
    lines = [f"# Model card: {card['title']}{version}", ""]
    if card["simulated"]:
        lines += ["**Simulated data.** These figures say nothing about patients.", ""]
    if not card["validated"]:
        lines += ["**Not validated** on labelled data of real patients.", ""]
    lines += ["Items and their numbers are those of " + card["form"] + ".", ""]
    section = ""
    for item in card["items"]:
        if item["section"] != section:
            section = item["section"]
            lines += [f"## {section}", ""]
        lines += [f"**{item['item']} {item['title']}.** {item['answer']}", ""]
    return "\n".join(lines)
