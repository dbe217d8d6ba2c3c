"""Tables of UCUM atoms, prefixes, and the sloppy spellings of units met in records. Data only; `core.units` reads them.

Source: The Unified Code for Units of Measure, version 2.1 (https://ucum.org/ucum), tables 1-15. Factors are exact where
UCUM's are, and written as text so that they are read as exact decimals.
"""

from __future__ import annotations

from typing import Final

# Base dimensions. UCUM itself counts mol, eq and osm as pure numbers; they are kept apart here, because taking one for
# the other is exactly the mistake that hurts a patient. International and USP units are arbitrary: they convert to
# nothing else.
DIMENSIONS: Final = (
    "g", "m", "s", "mol", "eq", "osm", "K", "A", "[iU]", "[USP'U]", "[CFU]", "[GPL'U]", "[hpf]", "[lpf]",
)  # fmt: skip

# UCUM's M, G, T, a and da are left out on purpose: records in capitals (`ML`, `Mg/dL`) would otherwise be megalitres
# and megagrams.
PREFIXES: Final[dict[str, str]] = {
    "k": "1e3", "h": "1e2", "d": "1e-1", "c": "1e-2", "m": "1e-3", "u": "1e-6", "n": "1e-9", "p": "1e-12", "f": "1e-15",
}  # fmt: skip

# Atoms that take a metric prefix: name -> (factor, the unit it is a multiple of).
METRIC_ATOMS: Final[dict[str, tuple[str, str]]] = {
    "L": ("1", "dm3"),
    "l": ("1", "dm3"),
    "Hz": ("1", "s-1"),
    "N": ("1", "kg.m/s2"),
    "Pa": ("1", "N/m2"),
    "J": ("1", "N.m"),
    "W": ("1", "J/s"),
    "V": ("1", "W/A"),
    "bar": ("1e5", "Pa"),
    "cal": ("4.184", "J"),
    "U": ("1", "umol/min"),  # the enzyme unit; kat = mol/s
    "kat": ("1", "mol/s"),
    "dyn": ("1e-5", "N"),
    "m[Hg]": ("133.322", "kPa"),
    "m[H2O]": ("9.80665", "kPa"),
    "[IU]": ("1", "[iU]"),
}

# Atoms that take none.
PLAIN_ATOMS: Final[dict[str, tuple[str, str]]] = {
    "min": ("60", "s"),
    "h": ("3600", "s"),
    "d": ("86400", "s"),
    "wk": ("7", "d"),
    "a": ("365.25", "d"),
    "mo": ("30.4375", "d"),
    "[in_i]": ("2.54", "cm"),
    "[ft_i]": ("12", "[in_i]"),
    "[lb_av]": ("453.59237", "g"),
    "[oz_av]": ("28.349523125", "g"),
    "[foz_us]": ("29.5735295625", "mL"),
    "[drp]": ("0.05", "mL"),
    "%": ("0.01", ""),
    "[ppth]": ("1e-3", ""),
    "[ppm]": ("1e-6", ""),
    "10*": ("10", ""),
    "10^": ("10", ""),
    "[pH]": ("1", ""),
    "[HPF]": ("1", "[hpf]"),
    "[LPF]": ("1", "[lpf]"),
    "[MPL'U]": ("1", "[GPL'U]"),
    "atm": ("101325", "Pa"),
}

# Temperatures with a zero of their own: name -> (kelvins a degree, kelvins at its zero); they stand alone or not
# at all.
OFFSET_ATOMS: Final[dict[str, tuple[str, str]]] = {
    "Cel": ("1", "273.15"),
    "[degF]": ("5/9", "45967/180"),
}

# Spellings of a whole unit that UCUM would read otherwise (K/uL as kelvin) or not at all. Matched as written.
EXACT: Final[dict[str, str]] = {
    "K/uL": "10*3/uL",
    "K/UL": "10*3/uL",
    "k/uL": "10*3/uL",
    "K/mcL": "10*3/uL",
    "K/µL": "10*3/uL",
    "M/uL": "10*6/uL",
    "m/uL": "10*6/uL",
    "M/mcL": "10*6/uL",
    "C": "Cel",
    "F": "[degF]",
    "M": "mol/L",
    "mM": "mmol/L",
    "uM": "umol/L",
    "g/l-1": "g/L",  # a negative power written after the solidus as well
    "mg/l-1": "mg/L",
}

# The same, compared without regard to case and blanks.
LOOSE: Final[dict[str, str]] = {
    "mmhg": "mm[Hg]",
    "mm(hg)": "mm[Hg]",
    "mm[hg]": "mm[Hg]",
    "torr": "mm[Hg]",
    "cmh2o": "cm[H2O]",
    "cmh20": "cm[H2O]",
    "cm[h2o]": "cm[H2O]",
    "bpm": "/min",
    "beats/min": "/min",
    "beats/minute": "/min",
    "beatsperminute": "/min",
    "beat/min": "/min",
    "{beats}/min": "/min",
    "breaths/min": "/min",
    "breaths/minute": "/min",
    "breath/min": "/min",
    "insp/min": "/min",
    "resp/min": "/min",
    "permin": "/min",
    "perminute": "/min",
    "degc": "Cel",
    "deg.c": "Cel",
    "°c": "Cel",
    "℃": "Cel",
    "celsius": "Cel",
    "degreescelsius": "Cel",
    "degreesc": "Cel",
    "degf": "[degF]",
    "deg.f": "[degF]",
    "[degf]": "[degF]",
    "°f": "[degF]",
    "℉": "[degF]",
    "fahrenheit": "[degF]",
    "degreesfahrenheit": "[degF]",
    "degreesf": "[degF]",
    "percent": "%",
    "pct": "%",
    "vol%": "%",
    "%{ofhemoglobin}": "%",
    "x10e3/ul": "10*3/uL",
    "10e3/ul": "10*3/uL",
    "x10^3/ul": "10*3/uL",
    "10^3/ul": "10*3/uL",
    "x10*3/ul": "10*3/uL",
    "x1000/ul": "10*3/uL",
    "thou/ul": "10*3/uL",
    "thousand/ul": "10*3/uL",
    "thou/mm3": "10*3/uL",
    "thousand/mm3": "10*3/uL",
    "k/mm3": "10*3/uL",
    "k/cumm": "10*3/uL",
    "x10e6/ul": "10*6/uL",
    "10e6/ul": "10*6/uL",
    "x10^6/ul": "10*6/uL",
    "10^6/ul": "10*6/uL",
    "mil/ul": "10*6/uL",
    "million/ul": "10*6/uL",
    "mill/mm3": "10*6/uL",
    "x10e9/l": "10*9/L",
    "10e9/l": "10*9/L",
    "x10^9/l": "10*9/L",
    "10^9/l": "10*9/L",
    "x10*9/l": "10*9/L",
    "x10e12/l": "10*12/L",
    "10e12/l": "10*12/L",
    "x10^12/l": "10*12/L",
    "10^12/l": "10*12/L",
    "giga.l-1": "10*9/L",
    "tera.l-1": "10*12/L",
    "giga/l": "10*9/L",
    "tera/l": "10*12/L",
    "gi/l": "10*9/L",
    "#/ul": "/uL",
    "cells/ul": "/uL",
    "cells/mm3": "/mm3",
    "cells/cumm": "/mm3",
    "#/hpf": "/[HPF]",
    "/hpf": "/[HPF]",
    "#/lpf": "/[LPF]",
    "/lpf": "/[LPF]",
    "ng/mlfeu": "ng/mL{FEU}",
    "ug/mlfeu": "ug/mL{FEU}",
    "mcg/mlfeu": "ug/mL{FEU}",
    "mg/lfeu": "mg/L{FEU}",
    "ml/min/1.73m2": "mL/min/{1.73_m2}",
    "ml/min/1.73": "mL/min/{1.73_m2}",
    "ml/min/1.73m^2": "mL/min/{1.73_m2}",
    "ml/min/1.73m²": "mL/min/{1.73_m2}",
    "ml/min/1.73sqm": "mL/min/{1.73_m2}",
    "ml/min/{1.73_m2}": "mL/min/{1.73_m2}",
    "kg/m^2": "kg/m2",
    "kg/m²": "kg/m2",
    "kg/sqm": "kg/m2",
    "mcgkgmin": "ug/kg/min",
    "mcgkghr": "ug/kg/h",
    "mcgmin": "ug/min",
    "mcghr": "ug/h",
    "mgkghr": "mg/kg/h",
    "mghr": "mg/h",
    "mgmin": "mg/min",
    "uhr": "U/h",
    "umin": "U/min",
    "lpm": "L/min",
    "mm/hr": "mm/h",
    "u": "U",
    "score": "{score}",
    "points": "{score}",
    "ratio": "{ratio}",
    "inr": "{INR}",
    "fraction": "1",
    "uiu/ml": "u[iU]/mL",
    "uu/ml": "u[iU]/mL",
    "miu/ml": "m[iU]/mL",
    "miu/l": "m[iU]/L",
    "x10(3)/ul": "10*3/uL",
    "10(3)/ul": "10*3/uL",
    "10(9)/l": "10*9/L",
    "10(6)/ul": "10*6/uL",
    "10(12)/l": "10*12/L",
}

# Spellings of one part of a unit, between `/` and `.`; compared without regard to case.
PARTS: Final[dict[str, str]] = {
    "mcg": "ug", "µg": "ug", "microgram": "ug", "micrograms": "ug", "ug": "ug", "mikrog": "ug", "mg": "mg",
    "milligram": "mg", "milligrams": "mg", "gm": "g", "gram": "g", "grams": "g", "g": "g", "ng": "ng",
    "nanogram": "ng", "pg": "pg", "kg": "kg", "kgs": "kg", "kilogram": "kg", "kilograms": "kg", "lb": "[lb_av]",
    "lbs": "[lb_av]", "pound": "[lb_av]", "pounds": "[lb_av]", "oz": "[oz_av]", "in": "[in_i]", "inch": "[in_i]",
    "inches": "[in_i]", "ft": "[ft_i]", "cms": "cm", "cm": "cm", "mm": "mm", "ml": "mL", "mls": "mL", "cc": "mL",
    "milliliter": "mL", "millilitre": "mL", "milliliters": "mL", "dl": "dL", "l": "L", "liter": "L", "litre": "L",
    "liters": "L", "litres": "L", "ltr": "L", "ul": "uL", "µl": "uL", "mcl": "uL", "fl": "fL", "mmol": "mmol",
    "mmole": "mmol", "mmoles": "mmol", "umol": "umol", "µmol": "umol", "mcmol": "umol", "nmol": "nmol",
    "pmol": "pmol", "mol": "mol", "meq": "meq", "eq": "eq", "mosm": "mosm", "osm": "osm", "mosmol": "mosm",
    "iu": "[iU]", "uiu": "u[iU]", "kiu": "k[iU]", "µiu": "u[iU]", "unit": "U", "units": "U", "µu": "uU",
    "ukat": "ukat", "µkat": "ukat", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "msec": "ms",
    "msecs": "ms", "millisecond": "ms", "ms": "ms", "min": "min", "mins": "min", "minute": "min", "minutes": "min",
    "h": "h", "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "day": "d", "days": "d", "24hr": "d", "24h": "d",
    "24hours": "d", "week": "wk", "weeks": "wk", "year": "a", "years": "a", "yr": "a", "month": "mo",
    "months": "mo", "kpa": "kPa", "hpa": "hPa", "mbar": "mbar", "pa": "Pa", "mv": "mV", "hz": "Hz", "µm": "um",
    "um3": "um3", "m2": "m2", "m²": "m2", "m3": "m3", "mm3": "mm3", "cmm": "mm3", "cumm": "mm3", "m^2": "m2",
    "10^3": "10*3", "10^6": "10*6", "10^9": "10*9", "10^12": "10*12", "cells": "{cells}", "beats": "{beats}",
}  # fmt: skip
