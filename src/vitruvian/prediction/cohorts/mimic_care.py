"""What was given and asked for in MIMIC-IV: infusions and ventilation as samples, antibiotics and cultures as times."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.mimic_tables import Stays, frames, placed
from vitruvian.records.mapping import default_mapping
from vitruvian.records.mimic.care import dose_of
from vitruvian.records.mimic.site import SYSTEMS
from vitruvian.records.tables import instants, numbers

__all__ = ["antibiotics", "arrests", "cultures", "is_antibiotic", "supports"]

VASOACTIVE: Final = ("norepinephrine", "epinephrine", "dopamine", "dobutamine")  # those of SOFA's table
# Systemic antibacterials by the stems of their names; prescriptions are text, and have no code of a class.
_STEMS: Final = re.compile(
    r"(?i)\b(amikacin|ampicillin|amoxicillin|azithromycin|aztreonam|cef[a-z]+|cephalexin|ciprofloxacin|clarithromycin|"
    r"clindamycin|colisti\w*|daptomycin|dalbavancin|doripenem|doxycycline|ertapenem|erythromycin|gentamicin|imipenem|"
    r"levofloxacin|linezolid|meropenem|metronidazole|minocycline|moxifloxacin|nafcillin|oxacillin|penicillin\s?g?|"
    r"piperacillin\w*|polymyxin|quinupristin|rifampin|streptomycin|sulfameth\w*|tedizolid|telavancin|ticarcillin|"
    r"tigecycline|tobramycin|trimethoprim|unasyn|vancomycin|zosyn)"
)
_NOT_BLOODSTREAM: Final = re.compile(r"(?i)ophth|oint|cream|otic|topical|enema|desensiti|lock|inhal|nasal")
_IV_ROUTES: Final = ("IV", "IVPB", "IV DRIP", "IM", "IV BOLUS", "IVPB-")
_ANTIBIOTIC_ORDERS: Final = "(?i)antibiotics"  # ordercategoryname of inputevents
_SCREENS: Final = r"(?i)screen|mrsa|vre|isolate"  # samples that look for carriers, not for an infection

Times = list[list[float]]


def is_antibiotic(drug: str, route: str) -> bool:
    """Whether an order is a systemic antibacterial given into a vein (or muscle)."""
    return bool(_STEMS.search(drug)) and not _NOT_BLOODSTREAM.search(drug) and route.strip().upper() in _IV_ROUTES


def antibiotics(root: Path, stays: Stays) -> list[list[tuple[float, float]]]:
    """From and to of the IV antibiotics of each stay, hours from its beginning: orders, and doses that were charted."""
    found: list[list[tuple[float, float]]] = [[] for _ in range(len(stays))]
    columns = ("subject_id", "starttime", "stoptime", "drug", "route")
    for frame in frames(root, "prescriptions", *columns, needed=False):
        mine = [is_antibiotic(drug or "", route or "") for drug, route in frame.select("drug", "route").rows()]
        _spans(frame.filter(pl.Series(mine, dtype=pl.Boolean)), "stoptime", stays, found)
    charted = ("subject_id", "starttime", "endtime", "ordercategoryname")
    for frame in frames(root, "inputevents", *charted, needed=False):
        _spans(frame.filter(pl.col("ordercategoryname").str.contains(_ANTIBIOTIC_ORDERS)), "endtime", stays, found)
    return found


def _spans(frame: pl.DataFrame, end: str, stays: Stays, found: list[list[tuple[float, float]]]) -> None:
    start_us = pl.Series("from_us", instants(frame["starttime"]), pl.Int64)
    end_us = pl.Series("to_us", instants(frame[end]), pl.Int64)
    timed = frame.with_columns(start_us, end_us.fill_null(start_us)).drop_nulls("from_us")
    for stay, begin, stop in placed(timed, stays, "from_us").select("stay", "from_us", "to_us").rows():
        origin = int(stays.in_us[stay])
        found[stay].append(((begin - origin) / HOUR_US, (max(stop, begin) - origin) / HOUR_US))


def cultures(root: Path, stays: Stays) -> Times:
    """When cultures were taken in each stay, hours from its beginning; screens for carriers are left out."""
    found: Times = [[] for _ in range(len(stays))]
    for frame in frames(root, "microbiologyevents", "subject_id", "charttime", "spec_type_desc", "test_name"):
        named = pl.concat_str(["spec_type_desc", "test_name"], separator=" ", ignore_nulls=True)
        kept = frame.filter(named.str.contains("(?i)culture") & ~named.str.contains(_SCREENS))
        timed = kept.with_columns(pl.Series("at_us", instants(kept["charttime"]), pl.Int64)).drop_nulls("at_us")
        for stay, at_us in placed(timed, stays, "at_us").select("stay", "at_us").rows():
            found[stay].append((at_us - int(stays.in_us[stay])) / HOUR_US)
    return found


def arrests(root: Path, stays: Stays) -> NDArray[np.float64]:
    """The first charted cardiac arrest of each stay, hours from its beginning (P,), inf = none.

    Items are found by their name in d_items, so that no number has to be trusted.
    """
    found = np.full(len(stays), np.inf)
    items: list[str] = []
    for frame in frames(root, "d_items", "itemid", "label", needed=False):
        items += frame.filter(pl.col("label").str.contains("(?i)^cardiac arrest"))["itemid"].to_list()
    for frame in frames(root, "procedureevents", "subject_id", "itemid", "starttime", needed=False):
        mine = frame.filter(pl.col("itemid").is_in(items))
        timed = mine.with_columns(pl.Series("at_us", instants(mine["starttime"]), pl.Int64)).drop_nulls("at_us")
        for stay, at_us in placed(timed, stays, "at_us").select("stay", "at_us").rows():
            found[stay] = min(found[stay], (at_us - int(stays.in_us[stay])) / HOUR_US)
    return np.where(found >= 0, found, np.inf)


def supports(
    root: Path, stays: Stays
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Vasoactive infusions and ventilation as samples: stay, concept, when, value; a rate from its start, 0 at its end.

    Where one infusion follows another at once, the new rate stands and not the zero.
    """
    rows: list[tuple[int, int, int, int, float]] = []  # stay, concept, when, 0 = end before 1 = start, value
    mapping = default_mapping()
    columns = ("subject_id", "itemid", "starttime", "endtime", "rate", "rateuom", "patientweight", "statusdescription")
    for table, system in (("inputevents", "medication-icu"), ("procedureevents", "procedureevents-d-items")):
        for frame in frames(root, table, *columns, needed=False):
            items = {item: mapping.code(SYSTEMS + system, item or "") for item in frame["itemid"].unique()}
            wanted = [
                item for item, local in items.items()
                if local is not None and local.concept in (*VASOACTIVE, "mechanical_ventilation")
            ]  # fmt: skip
            mine = frame.filter(
                pl.col("itemid").is_in(wanted) & (pl.col("statusdescription").fill_null("") != "Rewritten")
            )
            timed = mine.with_columns(
                pl.Series("from_us", instants(mine["starttime"]), pl.Int64),
                pl.Series("to_us", instants(mine["endtime"]), pl.Int64),
                pl.Series("rate", numbers(mine["rate"]), pl.Float64),
                pl.Series("patientweight", numbers(mine["patientweight"]), pl.Float64),
            ).drop_nulls("from_us")
            for row in placed(timed, stays, "from_us").iter_rows(named=True):
                local = items[row["itemid"]]
                assert local is not None
                value = _rate(local.concept, row["rate"], row["rateuom"] or "", row["patientweight"])
                if value is None:
                    continue
                index = VOCABULARY[local.concept].index
                rows.append((row["stay"], index, row["from_us"], 1, value))
                if row["to_us"] is not None and row["to_us"] > row["from_us"]:
                    rows.append((row["stay"], index, row["to_us"], 0, 0.0))
    rows.sort()
    table_ = np.array(rows, np.float64).reshape(-1, 5)
    when = np.array([row[2] for row in rows], np.int64)
    return table_[:, 0].astype(np.int64), table_[:, 1].astype(np.int64), when, table_[:, 4]


def _rate(concept: str, rate: float | None, unit: str, weight_kg: float | None) -> float | None:
    """The rate in the vocabulary's unit; ventilation is 1 while it lasts; None where it cannot be told."""
    if concept == "mechanical_ventilation":
        return 1.0
    if rate is None:
        return None
    dose = dose_of(concept, None, "", rate, unit, weight_kg)
    return dose.rate if dose.rate_unit == VOCABULARY[concept].unit else None
