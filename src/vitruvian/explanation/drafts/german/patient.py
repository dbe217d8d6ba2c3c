"""German for patients and families: plain words, calm; of causes it only says that it claims none."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Claim
from vitruvian.explanation.drafts.base import Templates, listed
from vitruvian.explanation.drafts.german.clinician import apart, driver, moved_from
from vitruvian.explanation.drafts.parts import by_sign, has, numbered, with_slot
from vitruvian.explanation.drafts.parts import names as slots

__all__ = ["TEMPLATES"]


def _list(items: list[str]) -> str:
    return listed(items, "und")


def _names(claim: Claim, head: str, last: str = "und") -> str:
    return slots(claim, head, last)


def _range(claim: Claim) -> str:
    """The interval in brackets, where there is one; of a fall its smaller end first."""
    if not has(claim, "low"):
        return ""
    ends = "{high} bis {low}" if claim.kind == "effect" and claim.sign == -1 else "{low} bis {high}"
    return f" ({with_slot(claim, 'confidence', '{confidence}-')}Bereich {ends})"


def _over(claim: Claim) -> str:
    return with_slot(claim, "horizon", " {horizon}")


def _risk(claim: Claim) -> str:
    head = f"Das Modell schätzt die Wahrscheinlichkeit für {{outcome}}{_over(claim)} auf {{risk}}{_range(claim)}"
    return f"{head}{moved_from(claim)}."


def _frequency(claim: Claim) -> str:
    if not has(claim, "outcome"):
        return f"Das sind etwa {{risk}} Menschen mit ähnlichen Werten{_over(claim)}."
    return f"Von Menschen mit ähnlichen Werten wären etwa {{risk}} betroffen{_over(claim)}: {{outcome}}."


def _usual(claim: Claim) -> str:
    stands = by_sign(claim, {1: "darüber", -1: "darunter", 0: "nahe daran"})
    what = "{outcome}" if has(claim, "outcome") else "das"
    seen = f"Bei den Menschen, von denen das Modell gelernt hat, kam {what} bei etwa {{usual}} vor"
    return f"{seen}; Ihr Wert liegt {stands}."


def _drivers(claim: Claim) -> str:
    named = _list([driver(claim, n) for n in numbered(claim, "d")])
    return f"Im Modell zählt am meisten, ohne die Ursache sein zu müssen: {named}."


def _valued(claim: Claim, head: str = "c") -> str:
    """Names with their values, and when where that is known."""
    timed = numbered(claim, "t")
    return _list([f"{{{head}{n}}} {{v{n}}}{f' {{t{n}}}' if n in timed else ''}" for n in numbered(claim, head)])


def _place(claim: Claim, text: str) -> str:
    """Behind the place where there is one, else at the beginning of a sentence."""
    return f"{{place}}: {text}" if has(claim, "place") else f"{text[0].upper()}{text[1:]}"


def _expected(claim: Claim) -> str:
    course: dict[int | None, str] = {
        1: "einen Anstieg von {now} auf {later}",
        -1: "einen Rückgang von {now} auf {later}",
        0: "keine Änderung, {now} jetzt und {later} dann",
    }
    said = by_sign(claim, course) if has(claim, "now") else "einen Wert von {later}"
    return f"{{subject}}: Das Modell erwartet {{horizon}} {said}{_range(claim)}."


def _dose(claim: Claim, number: int) -> str:
    how = with_slot(claim, f"how{number}", f" ({{how{number}}})")
    return f"{with_slot(claim, f'dose{number}', f' {{dose{number}}}')}{how}"


def _scenario(claim: Claim) -> str:
    done = [f"{{a{n}}}{_dose(claim, n)}" for n in numbered(claim, "a")]
    taken = [f"{{e{n}}}{with_slot(claim, f'set{n}', f' (angenommen: {{set{n}}})')}" for n in numbered(claim, "e")]
    more = ["{more}"] if has(claim, "more") else []
    return f"Das ist nur ein Gedankenspiel, in dem das Modell etwas ausprobiert: {_list([*done, *taken, *more])}."


def _effect(claim: Claim) -> str:
    sure = with_slot(claim, "likelihood", "; das ist {likelihood}")
    return f"{{subject}}: im Gedankenspiel wäre der Wert {{horizon}} {apart(claim)}{_range(claim)}{sure}."


def _before_after(claim: Claim) -> str:
    return by_sign(
        claim,
        {
            1: "höher, {before} ohne die Änderung und {after} mit ihr",
            -1: "niedriger, {before} ohne die Änderung und {after} mit ihr",
            0: "gleich, {before} ohne die Änderung und {after} mit ihr",
        },
    )


def _alarms(claim: Claim) -> str:
    named = [f"{{a{n}}} ({{s{n}}})" for n in numbered(claim, "a")]
    more = ["{more}"] if has(claim, "more") else []
    alarm = "Offener Alarm" if len(named) == 1 and not more else "Offene Alarme"
    return f"{alarm}{with_slot(claim, 'place', ' bei {place}')}: {_list([*named, *more])}."


def _medicines(claim: Claim) -> str:
    given = _list([f"{{g{n}}}{with_slot(claim, f'd{n}', f' {{d{n}}}')} {{t{n}}}" for n in numbered(claim, "g")])
    return f"{{place}} erhielt {given}." if has(claim, "place") else f"Sie haben erhalten: {given}."


def _latest(claim: Claim) -> str:
    stands = by_sign(
        claim,
        {1: ", über dem üblichen Bereich", -1: ", unter dem üblichen Bereich", 0: ", im üblichen Bereich", None: ""},
    )
    return f"{{subject}}: zuletzt {{value}}{with_slot(claim, 'when', ', gemessen {when}')}{stands}."


def _changed(claim: Claim) -> str:
    moved = by_sign(
        claim,
        {
            1: "von {from} auf {to} gestiegen",
            -1: "von {from} auf {to} gesunken",
            0: "gleich geblieben, {from} damals und {to} jetzt",
        },
    )
    return f"{{subject}}: {{window}} {moved}."


def _results(claim: Claim) -> str:
    head = by_sign(
        claim,
        {
            1: "Über dem üblichen Bereich",
            -1: "Unter dem üblichen Bereich",
            0: "Im üblichen Bereich",
            None: "Ergebnisse",
        },
    )
    return f"{head}: {_valued(claim, 's')}."


def _changes(claim: Claim) -> str:
    named = [f"{{s{n}}} von {{f{n}}} auf {{v{n}}}" for n in numbered(claim, "s")]
    return f"{{window}} {by_sign(claim, {1: 'gestiegen', -1: 'gesunken', 0: 'kaum verändert'})}: {_list(named)}."


def _extreme(claim: Claim) -> str:
    most = by_sign(claim, {1: "höchste", -1: "niedrigste"})
    return f"{{subject}}: Der {most} Wert {{window}} war {{value}}{with_slot(claim, 'when', ' {when}')}."


def _bed(claim: Claim) -> str:
    said = [with_slot(claim, "score", "Frühwarnwert {score}")]
    if has(claim, "risk"):
        of = with_slot(claim, "outcome", " für {outcome}")
        said.append(f"Wahrscheinlichkeit{of} {{risk}}{moved_from(claim)}")
    return f"{{place}}: {_list([one for one in said if one]) if any(said) else 'noch nichts bekannt'}."


def _card(claim: Claim) -> str:
    often = with_slot(claim, "usual", "; bei den Menschen, von denen es gelernt hat, kam das bei etwa {usual} vor")
    return f"Dieses Modell schätzt die Wahrscheinlichkeit für {{outcome}}{_over(claim)}{often}."


TEMPLATES: Final[Templates] = {
    ("risk", "patient"): _risk,
    ("risk_moved", "patient"): _risk,
    ("frequency", "patient"): _frequency,
    ("usual", "patient"): _usual,
    ("drivers", "patient"): _drivers,
    ("no_drivers", "patient"): "Kein einzelner Messwert fällt bei der Wahrscheinlichkeit für {outcome} besonders auf.",
    ("critical", "patient"): lambda claim: _place(claim, f"weit außerhalb des üblichen Bereichs: {_valued(claim)}."),
    ("missing", "patient"): lambda claim: _place(claim, f"in letzter Zeit nicht gemessen: {_names(claim, 'm')}."),
    ("critical_missing", "patient"): lambda claim: _place(
        claim,
        f"weit außerhalb des üblichen Bereichs: {_valued(claim)};"
        f" in letzter Zeit nicht gemessen: {_names(claim, 'm')}.",
    ),
    ("silent", "patient"): "Das Modell nennt jetzt keine Zahl ({reason}).",
    ("note", "patient"): lambda claim: f"Bitte beachten: {'; '.join(f'{{n{n}}}' for n in numbered(claim, 'n'))}.",
    ("expected", "patient"): _expected,
    ("critical_ahead", "patient"): lambda claim: (
        f"Im Modell liegt weit außerhalb des üblichen Bereichs: {_valued(claim)}."
    ),
    ("steady", "patient"): lambda claim: f"{{horizon}} ist kaum eine Änderung zu erwarten: {_names(claim, 's')}.",
    ("scenario", "patient"): _scenario,
    ("effect", "patient"): _effect,
    ("effect_open", "patient"): lambda claim: f"Das Gedankenspiel zeigt keine klare Änderung: {_names(claim, 's')}.",
    ("risk_effect", "patient"): lambda claim: (
        f"Im Gedankenspiel wäre die Zahl des Modells für {{outcome}}{_over(claim)} {_before_after(claim)}"
        " (das zeigt keine Ursache)."
    ),
    ("score_effect", "patient"): lambda claim: (
        f"Im Gedankenspiel wäre {{outcome}}{_over(claim)} {_before_after(claim)}."
    ),
    ("data_share", "patient"): (
        "Ihre eigenen Werte bestimmen davon {share}, den Rest das, was über Menschen allgemein bekannt ist."
    ),
    ("alarm", "patient"): "Der Alarm für {alarm} ({text}) ging {since} los und ist noch an.",
    ("alarms", "patient"): _alarms,
    ("no_alarm", "patient"): "Kein Alarm ist an.",
    ("given", "patient"): lambda claim: f"{{when}} gegeben: {{what}}{with_slot(claim, 'dose', ' {dose}')}.",
    ("medicines", "patient"): _medicines,
    ("happened", "patient"): lambda claim: f"{{when}} vermerkt: {{what}}{with_slot(claim, 'how', ' ({how})')}.",
    ("latest", "patient"): _latest,
    ("changed", "patient"): _changed,
    ("results", "patient"): _results,
    ("changes", "patient"): _changes,
    ("extreme", "patient"): _extreme,
    ("absent", "patient"): lambda claim: f"{{subject}}: kein Messwert{with_slot(claim, 'window', ' {window}')}.",
    ("ward", "patient"): lambda claim: f"Diese Station hat {{beds}}{with_slot(claim, 'alarms', ' und {alarms}')}.",
    ("bed", "patient"): _bed,
    ("card", "patient"): _card,
    ("trained", "patient"): lambda claim: (
        f"Gelernt hat es von: {{data}}{with_slot(claim, 'patients', ' ({patients})')}."
    ),
    ("figure", "patient"): lambda claim: f"In Tests des Modells: {{figure}} {{value}}{_range(claim)}.",
    ("unknown", "patient"): "Die Aufzeichnungen beantworten das nicht: {reason}.",
    ("refused", "patient"): "Das wird hier nicht beantwortet: {reason}.",
}
