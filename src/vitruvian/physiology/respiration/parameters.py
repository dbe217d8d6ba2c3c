"""The declarations of the respiratory room: states, parameters with their sources, what acts on it, what it shows."""

from __future__ import annotations

from typing import Final

from vitruvian.physiology.base import Export, Import, Input, Output, Parameter, State
from vitruvian.physiology.person import REFERENCE, Person

__all__ = [
    "EXPORTS", "IMPORTS", "INPUTS", "LIMITS", "OUTPUTS", "PARAMETERS", "SOURCES", "STATES", "domain", "personalise",
]  # fmt: skip

STATES: Final = (
    State("alveolar_oxygen", "mm[Hg]", 103.0, "oxygen pressure of alveolar gas", high=800.0, tolerance=1e-2),
    State("alveolar_co2", "mm[Hg]", 40.0, "carbon dioxide pressure of alveolar gas", high=250.0, tolerance=1e-2),
    State("arterial_oxygen", "mm[Hg]", 95.0, "oxygen pressure of arterial blood", high=800.0, tolerance=1e-2),
    State("arterial_co2", "mm[Hg]", 40.0, "carbon dioxide pressure of arterial blood", high=250.0, tolerance=1e-2),
    State("venous_oxygen", "mm[Hg]", 39.0, "oxygen pressure of mixed venous blood", high=700.0, tolerance=1e-2),
    State("venous_co2", "mm[Hg]", 45.0, "carbon dioxide pressure of mixed venous blood and quick tissue", high=300.0,
          tolerance=1e-2),
    State("tissue_co2", "mm[Hg]", 45.0, "carbon dioxide pressure of slow tissue", high=300.0, tolerance=1e-2),
    State("brain_co2", "mm[Hg]", 40.0, "arterial carbon dioxide pressure as the central chemoreceptors see it",
          high=250.0, tolerance=1e-2),
    State("brain_acid", "mmol/L", 0.0, "metabolic acid as the central chemoreceptors see it", low=-60.0, high=60.0,
          tolerance=1e-3),
    State("drive", "L/min", 7.5, "ventilation that the respiratory centre asks for", high=250.0, tolerance=1e-3),
    State("demand", "mL/s", 4.33, "oxygen that the tissues ask for", high=150.0, tolerance=1e-3),
    State("lactate", "mmol/L", 1.0, "lactate of blood", high=60.0, tolerance=1e-4),
    State("pleural_pressure", "mm[Hg]", -4.0, "mean pressure around the heart and great veins", low=-30.0, high=60.0,
          tolerance=1e-3),
    State("collapse", "1", 0.0, "share of one lung that has collapsed", high=1.0, tolerance=1e-4),
)  # fmt: skip

_ASSUMED: Final = "assumption: "

PARAMETERS: Final = (
    # --- metabolism
    Parameter("oxygen_consumption_rest", 265.0, "mL/min", 60.0, 700.0,
              "Mifflin 1990 (Am J Clin Nutr 51:241), 4.83 kcal/L of oxygen (Weir 1949), 9.6 % above rest",
              spread=0.12, estimated=True),
    Parameter("respiratory_quotient", 0.86, "1", 0.65, 1.1, "Guyton, Hall: Textbook of Medical Physiology, mixed diet",
              spread=0.04),
    Parameter("demand_lag_s", 35.0, "s", 5.0, 120.0, "Whipp, Wasserman 1972 (J Appl Physiol 33:351): 30-40 s"),
    Parameter("oxygen_per_watt", 10.8, "mL/min/W", 8.0, 13.0, "ACSM Guidelines for Exercise Testing, leg cycling"),
    Parameter("oxygen_unloaded", 270.0, "mL/min", 60.0, 700.0,
              "ACSM Guidelines, leg cycling: 3.5 mL/min/kg for moving the legs"),
    Parameter("oxygen_half_mmhg", 14.0, "mm[Hg]", 8.0, 26.0,
              _ASSUMED + "uptake falls at extraction ratios above 0.6 (Ronco 1993, JAMA 270:1724)", spread=0.1),
    Parameter("warmth_gain", 0.10, "1/K", 0.05, 0.15, "DuBois 1937: metabolism rises 10-13 % a degree of fever"),
    # --- lungs and stores
    Parameter("functional_residual_capacity", 2400.0, "mL", 500.0, 6000.0,
              "Nunn's Applied Respiratory Physiology: about 32 mL/kg of ideal weight, lying", spread=0.15),
    Parameter("anatomical_dead_space", 165.0, "mL", 20.0, 400.0, "Radford 1955 (J Appl Physiol 7:451): 2.2 mL/kg",
              spread=0.15),
    Parameter("alveolar_dead_space", 0.055, "1", 0.0, 0.7,
              "West: Respiratory Physiology; end-tidal lies 2-5 mm[Hg] below arterial carbon dioxide",
              spread=0.25, estimated=True),
    Parameter("shunt", 0.014, "1", 0.001, 0.6, "West: Respiratory Physiology: below 2 % of flow in health", spread=0.4,
              estimated=True),
    Parameter("low_ventilation", 0.013, "1", 0.0, 0.6,
              _ASSUMED + "flow through poorly ventilated lung, chosen for the reference arterial oxygen of 95 mm[Hg]",
              spread=0.4),
    Parameter("respiratory_compliance", 100.0, "mL/cm[H2O]", 10.0, 250.0,
              "Nunn's Applied Respiratory Physiology: lung 200 and chest wall 200 in series", spread=0.2),
    Parameter("arterial_volume", 700.0, "mL", 100.0, 2000.0,
              "Cherniack, Longobardo 1970 (Physiol Rev 50:196): 6-10 s from lung to chemoreceptor"),
    Parameter("venous_volume", 3500.0, "mL", 200.0, 10000.0, "Guyton, Hall: veins and capillaries, two thirds"),
    Parameter("tissue_oxygen", 3.0, "mL/mm[Hg]", 0.1, 10.0,
              _ASSUMED + "myoglobin and dissolved oxygen, about 200 mL in all (Nunn)"),
    Parameter("tissue_co2_quick", 12.0, "mL/mm[Hg]", 2.0, 100.0,
              "Farhi, Rahn 1960 (Anesthesiology 21:604): with lung and blood about 45, 3-4 mm[Hg]/min in apnoea"),
    Parameter("tissue_co2_slow", 60.0, "mL/mm[Hg]", 5.0, 400.0,
              "Nunn's Applied Respiratory Physiology: half-time of 16 min in hypoventilation, so about 95 in all"),
    Parameter("tissue_co2_flow", 0.10, "mL/s/mm[Hg]", 0.01, 2.0,
              _ASSUMED + "time constant near 10 min (Farhi, Rahn 1960)"),
    Parameter("barometric_pressure", 760.0, "mm[Hg]", 230.0, 800.0, "ICAO standard atmosphere; lower it for altitude",
              scale="plain"),
    Parameter("cardiac_output_rest", 93.0, "mL/s", 10.0, 300.0, "5.6 L/min: the standard male of Pulse and BioGears"),
    # --- control
    Parameter("ventilation_rest", 7.6, "L/min", 2.0, 20.0, "West: Respiratory Physiology: about 7.5 L/min", spread=0.10,
              estimated=True),
    Parameter("rate_rest", 14.77, "/min", 6.0, 40.0,
              "between 16/min of the standard male and his 7 L/min at 540 mL, which make 13/min", spread=0.18,
              estimated=True),
    Parameter("co2_set", 40.0, "mm[Hg]", 25.0, 80.0, "West: Respiratory Physiology", spread=0.06, estimated=True),
    Parameter("central_gain", 1.6, "L/min/mm[Hg]", 0.1, 8.0,
              "Read 1967 (Australas Ann Med 16:20): 2-3 L/min/mm[Hg] in all; two thirds central (Nunn)", spread=0.4),
    Parameter("peripheral_gain", 0.8, "L/min/mm[Hg]", 0.05, 4.0,
              "Read 1967 (Australas Ann Med 16:20): 2-3 L/min/mm[Hg] in all; a third peripheral (Nunn)", spread=0.4),
    Parameter("hypoxic_gain", 1.1, "L/min", 0.05, 4.0,
              "L/min a percent of desaturation at normal carbon dioxide: Weil 1970 (J Clin Invest 49:1061), "
              "Rebuck, Campbell 1974 (Am Rev Respir Dis 109:345)", spread=0.4),
    Parameter("hypoxic_scale", 12.0, "mm[Hg]", 3.0, 40.0,
              _ASSUMED + "hypoxia and carbon dioxide multiply (Lloyd, Cunningham 1963); e-fold over this distance"),
    Parameter("acid_gain", 1.3, "mm[Hg].L/mmol", 0.3, 3.0,
              "carbon dioxide a mmol/L of acid weighs: Winter's rule 1.2-1.5 (Albert 1967, Ann Intern Med 66:312)"),
    Parameter("wakefulness", 4.2, "L/min", 0.2, 10.0,
              _ASSUMED + "the awake go on breathing below their carbon dioxide set point (Fink 1961)"),
    Parameter("exercise_gain", 26.0, "1", 10.0, 40.0,
              "ventilation on carbon dioxide production: 23-28 L/L (Wasserman: Principles of Exercise Testing)"),
    Parameter("brain_lag_s", 90.0, "s", 20.0, 400.0, "Dahan 1990 (J Physiol 423:615): central time constant 1-2 min"),
    Parameter("brain_acid_lag_s", 20000.0, "s", 1000.0, 200000.0,
              _ASSUMED + "acid reaches the brain within hours (Albert 1967: respiratory compensation in 12-24 h)"),
    Parameter("drive_lag_s", 10.0, "s", 2.0, 60.0, "Dahan 1990 (J Physiol 423:615): peripheral time constant 7-15 s"),
    Parameter("ventilation_max", 140.0, "L/min", 10.0, 250.0, "West: Respiratory Physiology: maximal voluntary, adult"),
    Parameter("flow_gain", 20.0, "L/min", 0.0, 100.0,
              _ASSUMED + "low flow drives breathing through the carotid bodies; chosen for 25-40 breaths a minute in "
              "class III and IV haemorrhage (ATLS, 10th edition)", spread=0.3),
    Parameter("flow_rate_gain", 42.0, "/min", 0.0, 120.0,
              _ASSUMED + "rapid and shallow under low flow, as for flow_gain", spread=0.3),
    Parameter("flow_threshold", 0.86, "1", 0.3, 1.0, _ASSUMED + "share of resting oxygen delivery below which it acts"),
    Parameter("pressure_gain", 0.2, "L/min/mm[Hg]", 0.0, 2.0,
              _ASSUMED + "hypotension drives breathing (Ohtake, Jennings 1992, J Appl Physiol 73:1549, dogs)"),
    Parameter("pressure_threshold", 68.0, "mm[Hg]", 30.0, 120.0, _ASSUMED + "mean pressure below which it acts"),
    # --- acid-base and lactate
    Parameter("base_excess_rest", 0.0, "mmol/L", -30.0, 30.0, "West: Respiratory Physiology", spread=1.2,
              scale="plain", estimated=True),
    Parameter("hemoglobin_rest", 15.0, "g/dL", 3.0, 25.0,
              "the standard male; used only for the exported pH, as exports may not depend on what is imported"),
    Parameter("base_shift", 0.07, "mmol/L/mm[Hg]", 0.0, 0.2,
              "bicarbonate that leaves blood for tissue in hypercapnia: Brackett 1965 (N Engl J Med 272:6), 1 mmol/L "
              "rise of plasma bicarbonate a 10 mm[Hg]"),
    Parameter("lactate_rest", 1.0, "mmol/L", 0.2, 6.0, "Nunn's Applied Respiratory Physiology: 0.5-1.5", spread=0.3),
    Parameter("lactate_volume", 38.0, "L", 4.0, 120.0, _ASSUMED + "half a litre a kg, most of body water"),
    Parameter("lactate_clearance", 4.5e-4, "/s", 2e-5, 3e-3,
              "Revelly 2005 (Crit Care Med 33:2235): 12-14 mL/kg/min, over lactate_volume; gives 1.0 mmol/min",
              spread=0.3, estimated=True),
    Parameter("lactate_per_oxygen", 5.0, "1", 0.0, 6.0,
              _ASSUMED + "mol of lactate a mol of oxygen lacking; 6 would replace all of its ATP"),
    # --- the pleural space
    Parameter("pleural_pressure_rest", -4.0, "mm[Hg]", -12.0, 5.0,
              "West: Respiratory Physiology: -5 cm[H2O] at rest", scale="plain"),
    Parameter("pleural_lag_s", 6.0, "s", 1.0, 60.0, _ASSUMED + "two breaths"),
    Parameter("collapse_lag_s", 90.0, "s", 5.0, 1800.0, _ASSUMED + "minutes to a full tension pneumothorax"),
    Parameter("tension_pressure", 28.0, "mm[Hg]", 0.0, 40.0,
              _ASSUMED + "mean pressure on heart and veins, chosen for hypotension; Barton 1995 (J Trauma 38:280)"),
)  # fmt: skip

INPUTS: Final = (
    Input("inspired_oxygen_fraction", "1", 0.21, 0.0, 1.0, "oxygen in what is breathed in"),
    Input("inspired_co2_fraction", "1", 0.0, 0.0, 0.12, "carbon dioxide in what is breathed in"),
    Input("mechanical_ventilation", "1", 0.0, 0.0, 1.0, "1: a ventilator breathes, at the settings below"),
    Input("tidal_volume_set", "mL", 500.0, 0.0, 3000.0),
    Input("respiratory_rate_set", "/min", 14.0, 0.0, 80.0),
    Input("positive_end_expiratory_pressure", "cm[H2O]", 0.0, 0.0, 40.0),
    Input("pneumothorax", "1", 0.0, 0.0, 1.0, "share of one lung that collapses; a valve, unless open"),
    Input("pneumothorax_open", "1", 0.0, 0.0, 1.0, "1: the pleural space is open to the outside"),
    Input("airway_obstruction", "1", 0.0, 0.0, 1.0, "share of the airway lost; 1 closes it"),
    Input("added_shunt", "1", 0.0, 0.0, 1.0, "share of flow past flooded or closed alveoli, before recruitment"),
    Input("apnoea", "1", 0.0, 0.0, 1.0, "1: no breathing of one's own"),
    Input("exercise", "W", 0.0, 0.0, 600.0),
)

IMPORTS: Final = (
    Import("cardiac_output", "mL/s", 93.0),
    Import("arterial_pressure", "mm[Hg]", 87.0, "mean"),
    Import("hemoglobin_concentration", "g/dL", 15.0),
    Import("metabolic_demand", "1", 1.0, "share of the resting oxygen demand, apart from warmth and exercise"),
    Import("ventilatory_drive_factor", "1", 1.0, "what drugs leave of the drive to breathe"),
    Import("lung_injury", "1", 0.0, "0: healthy; 1: as severe as acute respiratory distress gets"),
    Import("temperature_shift", "K", 0.0, "body temperature above 37 Cel"),
    Import("lactate_production_factor", "1", 1.0, "production of lactate with oxygen at hand (adrenaline, sepsis)"),
)

EXPORTS: Final = (
    Export("arterial_oxygen_pressure", "mm[Hg]"),
    Export("arterial_co2_pressure", "mm[Hg]"),
    Export("intrathoracic_pressure", "mm[Hg]"),
    Export("arterial_ph", "[pH]"),
    Export("pulmonary_resistance_factor", "1", "hypoxic constriction and collapsed lung"),
    Export("contractility_factor", "1", "what extreme hypoxia and acid leave of it"),
    Export("heart_rate_factor", "1", "the same for heart rate"),
)

OUTPUTS: Final = (
    Output("respiratory_rate", "/min"),
    Output("tidal_volume", "mL"),
    Output("minute_ventilation", "L/min"),
    Output("oxygen_saturation", "%", "as a pulse oximeter shows it"),
    Output("oxygen_saturation_arterial", "%"),
    Output("arterial_oxygen", "mm[Hg]"),
    Output("arterial_co2", "mm[Hg]"),
    Output("end_tidal_co2", "mm[Hg]"),
    Output("ph", "[pH]", "of arterial blood"),
    Output("bicarbonate", "mmol/L"),
    Output("base_excess", "mmol/L", "of the extracellular fluid (a third of the haemoglobin)"),
    Output("lactate", "mmol/L"),
    Output("oxygen_saturation_venous", "%", "mixed venous"),
    Output("venous_oxygen", "mm[Hg]", "mixed venous"),
    Output("shunt_fraction", "%", "venous admixture"),
    Output("dead_space_fraction", "%", "of the tidal volume, physiological"),
    Output("oxygen_delivery", "mL/min"),
    Output("oxygen_consumption", "mL/min"),
    Output("co2_production", "mL/min"),
    Output("lung_compliance", "mL/cm[H2O]", "of the respiratory system"),
)

LIMITS: Final = (
    "Adults. Breaths are averaged: no flow, no pressure waveform, no trigger or weaning. One lung unit with shunt, "
    "poorly ventilated flow and dead space; no renal compensation."
)

SOURCES: Final = (
    "Albanese 2016 Am J Physiol Heart Circ Physiol 310:H899",
    "Cheng 2016 Am J Physiol Heart Circ Physiol 310:H922",
    "Dash 2016 Eur J Appl Physiol 116:97",
    "Douglas 1988 J Appl Physiol 65:473",
    "Lang, Zander 2002 Clin Chem Lab Med 40:404",
)


def personalise(values: dict[str, float], person: Person) -> dict[str, float]:
    """Scale to a person: metabolism by Mifflin's equation, lungs by ideal weight, stores by weight, shunt by age."""
    sex_kcal = 5.0 if person.sex == "male" else -161.0
    resting_kcal = 10.0 * person.weight_kg + 6.25 * person.height_cm - 5.0 * person.age_years + sex_kcal
    metabolism = max(resting_kcal, 300.0) / 1681.0
    lungs = person.ideal_weight_kg / REFERENCE.ideal_weight_kg
    size = person.weight_kg / REFERENCE.weight_kg
    blood = person.blood_volume_ml / REFERENCE.blood_volume_ml
    scale = {
        "oxygen_consumption_rest": metabolism, "ventilation_rest": metabolism, "oxygen_unloaded": size,
        "functional_residual_capacity": lungs, "anatomical_dead_space": lungs, "respiratory_compliance": lungs,
        "ventilation_max": lungs, "wakefulness": metabolism, "central_gain": lungs, "peripheral_gain": lungs,
        "hypoxic_gain": lungs, "flow_gain": metabolism, "pressure_gain": metabolism,
        "arterial_volume": blood, "venous_volume": blood, "tissue_oxygen": size, "tissue_co2_quick": size,
        "tissue_co2_slow": size, "tissue_co2_flow": size, "lactate_volume": size,
        "cardiac_output_rest": person.bsa_m2 / REFERENCE.bsa_m2,
    }  # fmt: skip
    made = {name: value * scale.get(name, 1.0) for name, value in values.items()}
    # Arterial oxygen falls by about 0.3 mm[Hg] a year (Sorbini 1968, Respiration 25:3, less in later series).
    made["low_ventilation"] += 4.5e-4 * (person.age_years - REFERENCE.age_years)
    ranges = {one.name: (one.low, one.high) for one in PARAMETERS}
    return {name: min(max(value, ranges[name][0]), ranges[name][1]) for name, value in made.items()}


def domain(person: Person) -> str:
    """Why a person is outside the room's domain, or nothing."""
    if person.age_years < 16:
        return f"{person.age_years:g} years old, and the lungs and their control are an adult's (16 years on)"
    return ""
