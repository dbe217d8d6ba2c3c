"""A small simulated hospital in MIMIC-IV's published layout, with chartevents and labevents, for tests of cohorts.

Subjects (hours from the beginning of intensive care):
    1 well; 2 dies in hospital after 60 h; 3 septic: culture at 20, antibiotics from 22 for 80 h, platelets fall and
    norepinephrine starts at 26; 4 creatinine 1.0 before intensive care, 1.6 at 30; 5 is a child; 6 has two stays;
    7 has a cardiac arrest at 40.
Every column is as published; no row is anybody's.
"""

from __future__ import annotations

import gzip
from datetime import datetime, timedelta
from pathlib import Path

START = datetime(2150, 5, 1, 20, 0)
STAY_H = 72
CHARTED = {  # item: (usual value, unit)
    220045: (80.0, "bpm"), 220210: (16.0, "insp/min"), 220277: (97.0, "%"), 220179: (120.0, "mmHg"),
    220180: (65.0, "mmHg"), 220181: (83.0, "mmHg"),
}  # fmt: skip
SUBJECTS = {1: 64, 2: 81, 3: 58, 4: 70, 5: 12, 6: 45, 7: 66}


def at(hours: float) -> str:
    """The text of a time so many hours after intensive care began."""
    return (START + timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M:%S")


def write(root: Path) -> Path:
    """Write hosp/ and icu/ as csv.gz."""
    tables = {"hosp/patients": _patients(), "hosp/admissions": _admissions(), "icu/icustays": _stays()}
    tables |= {"icu/chartevents": _chartevents(), "hosp/labevents": _labevents(), "icu/outputevents": _outputs()}
    tables |= {"icu/inputevents": _inputs(), "hosp/microbiologyevents": _cultures(), "icu/d_items": _items()}
    tables |= {"hosp/prescriptions": _prescriptions(), "icu/procedureevents": _procedures()}
    for name, lines in tables.items():
        path = root / f"{name}.csv.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    return root


def _patients() -> list[str]:
    head = "subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod"
    return [head, *(f"{one},{'FM'[one % 2]},{age},2150,2014 - 2016," for one, age in SUBJECTS.items())]


def _admissions() -> list[str]:
    head = (
        "subject_id,hadm_id,admittime,dischtime,deathtime,admission_type,admit_provider_id,admission_location,"
        "discharge_location,insurance,language,marital_status,race,edregtime,edouttime,hospital_expire_flag"
    )
    died = {2}
    return [
        head,
        *(
            f"{one},{100 + one},{at(-10)},{at(100)},,EW EMER.,P1,EMERGENCY ROOM,HOME,Other,ENGLISH,SINGLE,WHITE,,,"
            f"{int(one in died)}"
            for one in SUBJECTS
        ),
    ]


def _stays() -> list[str]:
    head = "subject_id,hadm_id,stay_id,first_careunit,last_careunit,intime,outtime,los"
    units = {1: "Medical Intensive Care Unit (MICU)", 4: "Surgical Intensive Care Unit (SICU)"}
    rows = [
        f"{one},{100 + one},{300 + one},{units.get(one, 'Coronary Care Unit (CCU)')},X,{at(0)},{at(STAY_H)},3.0"
        for one in SUBJECTS
    ]
    return [head, *rows, f"6,106,399,Medical Intensive Care Unit (MICU),X,{at(STAY_H + 5)},{at(STAY_H + 20)},0.6"]


def _chartevents() -> list[str]:
    head = "subject_id,hadm_id,stay_id,caregiver_id,charttime,storetime,itemid,value,valuenum,valueuom,warning"
    rows = []
    for one in SUBJECTS:
        for hour in range(STAY_H):
            for item, (value, unit) in CHARTED.items():
                rows.append(_charted(one, hour + 0.25, hour + 0.75, item, value, unit))
            rows.append(_charted(one, hour + 0.25, hour + 0.75, 223761, 98.6, "°F"))
    rows.append(_charted(1, 10.1, 15.0, 220045, 150.0, "bpm"))  # written down five hours later
    rows.append(_charted(1, 12.1, 12.2, 223835, 40.0, ""))  # per cent of oxygen, without saying so
    rows.append(_charted(1, 13.1, 13.2, 220045, 70.0, "kg"))  # a unit that does not convert
    rows.append(_charted(1, 14.1, 14.2, 999999, 70.0, "bpm"))  # nobody knows this item
    rows.append(_charted(6, STAY_H + 6, STAY_H + 6.5, 220045, 199.0, "bpm"))  # of the second stay
    return [head, *rows]


def _charted(subject: int, hour: float, stored: float, item: int, value: float, unit: str) -> str:
    return f"{subject},{100 + subject},{300 + subject},1,{at(hour)},{at(stored)},{item},{value:g},{value:g},{unit},0"


def _labevents() -> list[str]:
    head = (
        "labevent_id,subject_id,hadm_id,specimen_id,itemid,order_provider_id,charttime,storetime,value,valuenum,"
        "valueuom,ref_range_lower,ref_range_upper,flag,priority,comments"
    )
    rows = []
    for one in SUBJECTS:
        rows += [(one, 2.0, 3.5, 50912, 1.0, "mg/dL"), (one, 26.0, 27.5, 50912, 1.1, "mg/dL")]
        rows += [(one, 2.0, 3.0, 51265, 220.0, "K/uL"), (one, 2.0, 4.0, 50885, 0.6, "mg/dL")]
    rows += [(3, 26.0, 27.0, 51265, 90.0, "K/uL")]
    rows += [(4, -20.0, -19.0, 50912, 1.0, "mg/dL"), (4, 30.0, 32.0, 50912, 1.6, "mg/dL")]
    texts = [
        f"{number},{one},{100 + one},9{number},{item},P1,{at(hour)},{at(stored)},{value:g},{value:g},{unit},,,,,"
        for number, (one, hour, stored, item, value, unit) in enumerate(rows, 1)
    ]
    texts.append(f"900,1,101,9900,50813,P1,{at(5)},{at(6)},<0.5,,mmol/L,,,,,")  # a bound, and no number
    return [head, *texts]


def _outputs() -> list[str]:
    head = "subject_id,hadm_id,stay_id,caregiver_id,charttime,storetime,itemid,value,valueuom"
    return [head, *(f"1,101,301,1,{at(hour)},{at(hour + 0.1)},226559,80,ml" for hour in range(1, 20))]


def _inputs() -> list[str]:
    head = (
        "subject_id,hadm_id,stay_id,caregiver_id,starttime,endtime,storetime,itemid,amount,amountuom,rate,rateuom,"
        "orderid,linkorderid,ordercategoryname,secondaryordercategoryname,ordercomponenttypedescription,"
        "ordercategorydescription,patientweight,totalamount,totalamountuom,isopenbag,continueinnextdept,"
        "statusdescription,originalamount,originalrate"
    )
    row = (
        f"3,103,303,1,{at(26)},{at(40)},{at(40)},221906,5,mg,0.2,mcg/kg/min,1,1,01-Drips,,,Continuous Med,80,50,ml,0,0,"
        "FinishedRunning,8,0.2"
    )
    return [head, row]


def _cultures() -> list[str]:
    head = (
        "microevent_id,subject_id,hadm_id,micro_specimen_id,order_provider_id,chartdate,charttime,spec_itemid,"
        "spec_type_desc,test_seq,storedate,storetime,test_itemid,test_name,org_itemid,org_name,isolate_num,quantity,"
        "ab_itemid,ab_name,dilution_text,dilution_comparison,dilution_value,interpretation,comments"
    )
    rest = f"90201,{{name}},,,,,,,,,,,{''}"
    return [
        head,
        f"70,3,103,800,P5,{at(20)},{at(20)},70012,BLOOD CULTURE,1,{at(70)},{at(70)},"
        + rest.format(name="Blood Culture (Routine)"),
        f"71,1,101,801,P5,{at(20)},{at(20)},70091,MRSA SCREEN,1,{at(70)},{at(70)},"
        + rest.format(name="MRSA SCREEN culture"),
    ]


def _prescriptions() -> list[str]:
    head = (
        "subject_id,hadm_id,pharmacy_id,poe_id,poe_seq,order_provider_id,starttime,stoptime,drug_type,drug,"
        "formulary_drug_cd,gsn,ndc,prod_strength,form_rx,dose_val_rx,dose_unit_rx,form_val_disp,form_unit_disp,"
        "doses_per_24_hrs,route"
    )
    antibiotic = "MAIN,Piperacillin-Tazobactam,ZOS,1,0,,,4.5,g,1,BAG,3,IV"
    cream = "MAIN,Gentamicin Cream,GEN,1,0,,,1,Appl,1,TUBE,3,TP"
    return [
        head,
        f"3,103,1,3-1,1,P3,{at(22)},{at(102)},{antibiotic}",
        f"1,101,2,1-1,1,P3,{at(20)},{at(102)},{cream}",
        f"1,101,3,1-2,1,P3,{at(20)},{at(40)},{antibiotic}",
    ]


def _items() -> list[str]:
    head = "itemid,label,abbreviation,linksto,category,unitname,param_type,lownormalvalue,highnormalvalue"
    return [head, "225466,Cardiac Arrest,Cardiac Arrest,procedureevents,6-Intubation/Extubation,None,Process,,"]


def _procedures() -> list[str]:
    head = (
        "subject_id,hadm_id,stay_id,caregiver_id,starttime,endtime,storetime,itemid,value,valueuom,location,"
        "locationcategory,orderid,linkorderid,ordercategoryname,ordercategorydescription,patientweight,isopenbag,"
        "continueinnextdept,statusdescription,originalamount,originalrate"
    )
    arrest = f"7,107,307,1,{at(40)},{at(40.2)},{at(41)},225466,1,None,,,9,9,Significant Events,Task,80,0,0,"
    return [head, arrest + "FinishedRunning,1,0"]
