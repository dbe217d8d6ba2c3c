"""Tables of MIMIC-III and MIMIC-IV with the columns exactly as published, and a few rows of our own making."""

from __future__ import annotations

import gzip
from pathlib import Path

IV = {
    "hosp/patients": "subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod\n"
    "10000001,F,64,2150,2014 - 2016,2151-02-03\n",
    "hosp/admissions": "subject_id,hadm_id,admittime,dischtime,deathtime,admission_type,admit_provider_id,"
    "admission_location,discharge_location,insurance,language,marital_status,race,edregtime,edouttime,"
    "hospital_expire_flag\n"
    "10000001,20000001,2150-05-01 10:00:00,2150-05-05 12:00:00,,EW EMER.,P1,EMERGENCY ROOM,HOME,Other,ENGLISH,SINGLE,"
    "WHITE,,,0\n",
    "hosp/transfers": "subject_id,hadm_id,transfer_id,eventtype,careunit,intime,outtime\n"
    "10000001,,30000001,ED,Emergency Department,2150-05-01 08:00:00,2150-05-01 10:00:00\n"
    "10000001,20000001,30000002,admit,Medicine,2150-05-01 10:00:00,2150-05-01 20:00:00\n"
    "10000001,20000001,30000003,transfer,Medical Intensive Care Unit (MICU),2150-05-01 20:00:00,2150-05-05 12:00:00\n"
    "10000001,20000001,30000004,discharge,,2150-05-05 12:00:00,\n",
    "hosp/diagnoses_icd": "subject_id,hadm_id,seq_num,icd_code,icd_version\n"
    "10000001,20000001,1,A419,10\n10000001,20000001,2,4280,9\n10000001,29999999,1,E8788,9\n",
    "hosp/d_icd_diagnoses": 'icd_code,icd_version,long_title\nA419,10,"Sepsis, unspecified organism"\n',
    "hosp/d_labitems": "itemid,label,fluid,category\n50813,Lactate,Blood,Blood Gas\n50912,Creatinine,Blood,Chemistry\n"
    "50800,Specimen Type,Blood,Blood Gas\n51003,Troponin T,Blood,Chemistry\n",
    "hosp/labevents": "labevent_id,subject_id,hadm_id,specimen_id,itemid,order_provider_id,charttime,storetime,value,"
    "valuenum,valueuom,ref_range_lower,ref_range_upper,flag,priority,comments\n"
    "1,10000001,20000001,90001,50813,P2,2150-05-01 10:30:00,2150-05-01 10:52:00,4.1,4.1,mmol/L,0.5,2,abnormal,STAT,\n"
    "2,10000001,20000001,90002,51003,P2,2150-05-01 10:30:00,2150-05-01 11:30:00,<0.01,,ng/mL,0,0.01,,STAT,\n"
    '3,10000001,20000001,90003,50912,P2,2150-05-01 10:30:00,2150-05-01 11:30:00,___,,mg/dL,0.4,1.1,,,"SEE, COMMENTS"\n'
    "4,10000001,20000001,90001,50800,P2,2150-05-01 10:30:00,2150-05-01 10:52:00,ART.,,,,,,,\n"
    "5,10000001,20000001,90004,50912,P2,2150-05-01 10:30:00,2150-05-01 11:30:00,88,88,furlong,,,,,\n"
    "6,10000001,20000001,90005,50912,P2,,2150-05-01 11:30:00,1.1,1.1,mg/dL,0.4,1.1,,,\n",
    "hosp/prescriptions": "subject_id,hadm_id,pharmacy_id,poe_id,poe_seq,order_provider_id,starttime,"
    "stoptime,drug_type,"
    "drug,formulary_drug_cd,gsn,ndc,prod_strength,form_rx,dose_val_rx,dose_unit_rx,form_val_disp,form_unit_disp,"
    "doses_per_24_hrs,route\n"
    "10000001,20000001,1,10000001-1,1,P3,2150-05-01 11:00:00,2150-05-02 11:00:00,MAIN,Metoprolol Tartrate,METO25,001,"
    "51079025520,25mg Tab,,12.5,mg,0.5,TAB,2,PO/NG\n"
    "10000001,20000001,2,10000001-2,2,P3,2150-05-01 11:00:00,2150-05-01 10:00:00,BASE,Sterile Water,SW,,"
    "0,,,50,mL,,,,IV\n"
    "10000001,20000001,3,,,P3,,,MAIN,Aspirin,ASA81,,0,81mg Tab,,81,mg,1,TAB,1,PO\n",
    "hosp/emar": "subject_id,hadm_id,emar_id,emar_seq,poe_id,pharmacy_id,enter_provider_id,charttime,"
    "medication,event_txt,"
    "scheduletime,storetime\n"
    "10000001,20000001,10000001-10,10,10000001-1,1,P4,2150-05-01 12:00:00,Metoprolol Tartrate,Administered,"
    "2150-05-01 12:00:00,2150-05-01 12:02:00\n"
    "10000001,20000001,10000001-11,11,10000001-1,1,P4,2150-05-02 00:00:00,Metoprolol Tartrate,Not Given,"
    "2150-05-02 00:00:00,2150-05-02 00:02:00\n",
    "hosp/omr": "subject_id,chartdate,seq_num,result_name,result_value\n"
    "10000001,2149-12-01,1,Weight (Lbs),150\n10000001,2149-12-01,1,Blood Pressure,120/70\n"
    "10000001,2149-12-01,1,Blood Pressure,?\n",
    "hosp/microbiologyevents": "microevent_id,subject_id,hadm_id,micro_specimen_id,order_provider_id,"
    "chartdate,charttime,"
    "spec_itemid,spec_type_desc,test_seq,storedate,storetime,test_itemid,test_name,org_itemid,org_name,isolate_num,"
    "quantity,ab_itemid,ab_name,dilution_text,dilution_comparison,dilution_value,interpretation,comments\n"
    "70,10000001,20000001,800,P5,2150-05-01 00:00:00,2150-05-01 10:40:00,70012,BLOOD CULTURE,1,2150-05-03 00:00:00,"
    "2150-05-03 09:00:00,90201,BLOOD CULTURE,80002,ESCHERICHIA COLI,1,,90004,AMPICILLIN,>=32,>=,32,R,\n",
    "hosp/provider": "provider_id\nP1\nP2\n",
    "icu/d_items": "itemid,label,abbreviation,linksto,category,unitname,param_type,lownormalvalue,highnormalvalue\n"
    "220045,Heart Rate,HR,chartevents,Routine Vital Signs,bpm,Numeric,,\n"
    "223761,Temperature Fahrenheit,Temperature F,chartevents,Routine Vital Signs,°F,Numeric,,\n",
    "icu/icustays": "subject_id,hadm_id,stay_id,first_careunit,last_careunit,intime,outtime,los\n"
    "10000001,20000001,39000001,MICU,MICU,2150-05-01 20:00:00,2150-05-05 12:00:00,3.7\n",
    "icu/chartevents": "subject_id,hadm_id,stay_id,caregiver_id,charttime,storetime,itemid,value,"
    "valuenum,valueuom,warning\n"
    + "".join(
        f"10000001,20000001,39000001,1,2150-05-01 21:00:00,2150-05-01 21:04:00,{rest}\n"
        for rest in (
            "220045,103,103,bpm,1",
            "223761,101.3,101.3,°F,0",
            "223762,37.5,37.5,°C,0",
            "223835,40,40,,0",
            "223835,0.5,0.5,,0",
            "220179,110,110,mmHg,0",
            "220050,118,118,mmHg,0",
            "223900,No Response-ETT,1,,0",
            "223901,Obeys Commands,6,,0",
            "226531,165,165,,0",
            "224080,Turned,,,0",
            "220045,104,104,kg,0",
        )
    ),
    "icu/inputevents": "subject_id,hadm_id,stay_id,caregiver_id,starttime,endtime,storetime,itemid,"
    "amount,amountuom,rate,"
    "rateuom,orderid,linkorderid,ordercategoryname,secondaryordercategoryname,ordercomponenttypedescription,"
    "ordercategorydescription,patientweight,totalamount,totalamountuom,isopenbag,continueinnextdept,statusdescription,"
    "originalamount,originalrate\n"
    + "".join(
        f"10000001,20000001,39000001,1,2150-05-01 21:00:00,2150-05-01 22:00:00,2150-05-01 22:01:00,{rest}\n"
        for rest in (
            "221906,0.48,mg,0.1,mcg/kg/min,1,1,01,,,Continuous Med,80,50,ml,0,0,FinishedRunning,8,0.1",
            "222315,2.4,units,2.4,units/hour,2,2,01,,,Continuous Med,80,50,ml,0,0,FinishedRunning,8,2.4",
            "221662,1.0,mg,16,mcg/min,3,3,01,,,Continuous Med,80,50,ml,0,0,Rewritten,8,0.1",
            "225158,500,ml,,,4,4,02,,,Bolus,80,500,ml,0,0,FinishedRunning,500,500",
            "225798,1,dose,,,5,5,08,,,Drug Push,80,1,dose,0,0,FinishedRunning,1,1",
            "226452,240,ml,,,6,6,14,,,Bolus,80,240,ml,0,0,FinishedRunning,240,240",
        )
    ),
    "icu/outputevents": "subject_id,hadm_id,stay_id,caregiver_id,charttime,storetime,itemid,value,valueuom\n"
    "10000001,20000001,39000001,1,5/1/2150 22:00,5/1/2150 22:05,226559,60,ml\n",
    "icu/procedureevents": "subject_id,hadm_id,stay_id,caregiver_id,starttime,endtime,storetime,itemid,value,valueuom,"
    "location,locationcategory,orderid,linkorderid,ordercategoryname,ordercategorydescription,patientweight,isopenbag,"
    "continueinnextdept,statusdescription,originalamount,originalrate\n"
    "10000001,20000001,39000001,1,2150-05-01 21:00:00,2150-05-02 21:00:00,2150-05-02 21:01:00,225792,1440,min,,,9,9,"
    "Ventilation,ContinuousProcess,80,1,0,FinishedRunning,1440,1\n",
}

III = {
    "PATIENTS": '"ROW_ID","SUBJECT_ID","GENDER","DOB","DOD","DOD_HOSP","DOD_SSN","EXPIRE_FLAG"\n'
    '1,11,"M",2080-03-05 00:00:00,,,,0\n2,12,"F",1844-07-18 00:00:00,2144-08-01 00:00:00,2144-08-01 00:00:00,,1\n',
    "ADMISSIONS": '"ROW_ID","SUBJECT_ID","HADM_ID","ADMITTIME","DISCHTIME","DEATHTIME","ADMISSION_TYPE",'
    '"ADMISSION_LOCATION","DISCHARGE_LOCATION","INSURANCE","LANGUAGE","RELIGION","MARITAL_STATUS",'
    '"ETHNICITY","EDREGTIME",'
    '"EDOUTTIME","DIAGNOSIS","HOSPITAL_EXPIRE_FLAG","HAS_CHARTEVENTS_DATA"\n'
    '5,11,101,2140-01-01 10:00:00,2140-01-09 10:00:00,,"EMERGENCY","ER","HOME","Private",,,,,,,'
    '"PNEUMONIA, SEPSIS",0,1\n'
    '6,12,102,2144-07-18 10:00:00,2144-08-01 10:00:00,2144-08-01 10:00:00,"EMERGENCY","ER","DEAD",'
    '"Private",,,,,,,"FALL",1,1\n',
    "D_ITEMS": '"ROW_ID","ITEMID","LABEL","ABBREVIATION","DBSOURCE","LINKSTO","CATEGORY","UNITNAME","PARAM_TYPE",'
    '"CONCEPTID"\n1,211,"Heart Rate",,"carevue","chartevents",,,,\n',
    "CHARTEVENTS": '"ROW_ID","SUBJECT_ID","HADM_ID","ICUSTAY_ID","ITEMID","CHARTTIME","STORETIME","CGID",'
    '"VALUE","VALUENUM",'
    '"VALUEUOM","WARNING","ERROR","RESULTSTATUS","STOPPED"\n'
    + "".join(
        f"{number},11,101,201,{rest}\n"
        for number, rest in enumerate(
            (
                '211,2140-01-01 12:00:00,2140-01-01 12:10:00,9,"88",88,"BPM",,,,"NotStopd"',
                '678,2140-01-01 12:00:00,2140-01-01 12:10:00,9,"98.6",98.6,"Deg. F",,,,"NotStopd"',
                '676,2140-01-01 12:00:00,2140-01-01 12:10:00,9,"37",37,"?C",,,,"NotStopd"',
                '51,2140-01-01 12:00:00,2140-01-01 12:10:00,9,"131",131,"mmHg",,,,"NotStopd"',
                '455,2140-01-01 12:00:00,2140-01-01 12:10:00,9,"128",128,"mmHg",,,,"NotStopd"',
                '190,2140-01-01 12:00:00,2140-01-01 12:10:00,9,"0.6",0.6,"torr",,,,"NotStopd"',
                '3420,2140-01-01 12:00:00,2140-01-01 12:10:00,9,"60",60,"%",,,,"NotStopd"',
                '723,2140-01-01 12:00:00,2140-01-01 12:10:00,9,"1.0 ET/Trach",1,"points",,,,"NotStopd"',
                '211,2140-01-01 13:00:00,2140-01-01 13:10:00,9,"880",880,"BPM",0,1,,',
            ),
            start=500,
        )
    ),
    "LABEVENTS": '"ROW_ID","SUBJECT_ID","HADM_ID","ITEMID","CHARTTIME","VALUE","VALUENUM","VALUEUOM","FLAG"\n'
    '900,11,101,50912,2140-01-01 11:00:00,"1.4",1.4,"mg/dL","abnormal"\n'
    '901,11,,50971,2140-01-01 11:00:00,"4.1",4.1,"mEq/L",\n',
    "INPUTEVENTS_CV": '"ROW_ID","SUBJECT_ID","HADM_ID","ICUSTAY_ID","CHARTTIME","ITEMID","AMOUNT","AMOUNTUOM","RATE",'
    '"RATEUOM","STORETIME","CGID","ORDERID","LINKORDERID","STOPPED","NEWBOTTLE","ORIGINALAMOUNT","ORIGINALAMOUNTUOM",'
    '"ORIGINALROUTE","ORIGINALRATE","ORIGINALRATEUOM","ORIGINALSITE"\n'
    '1,11,101,201,2140-01-01 12:00:00,30120,,,0.05,"mcgkgmin",2140-01-01 12:01:00,9,1,1,,,,,,,,\n'
    '2,11,101,201,2140-01-01 12:00:00,30120,0.4,"mg",,,2140-01-01 12:01:00,9,1,1,,,,,,,,\n'
    '3,11,101,201,2140-01-01 15:00:00,30120,,,0.05,"mcgkgmin",2140-01-01 15:01:00,9,1,1,"Stopped",,,,,,,\n'
    '4,11,101,201,2140-01-01 12:00:00,30018,400,"ml",,,2140-01-01 12:01:00,9,2,2,,,,,,,,\n',
}


def write_iv(folder: Path, *, packed: bool = True) -> Path:
    """MIMIC-IV as published: `hosp` and `icu`, gzip or plain."""
    for name, text in IV.items():
        _write(folder / f"{name}.csv", text, packed=packed)
    return folder


def write_iii(folder: Path, *, packed: bool = False, lower: bool = False) -> Path:
    """MIMIC-III as published, or with file names in lower case."""
    for name, text in III.items():
        _write(folder / f"{name.lower() if lower else name}.csv", text, packed=packed)
    return folder


def _write(path: Path, text: str, *, packed: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if packed:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, "utf-8")
