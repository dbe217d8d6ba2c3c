"""German for clinicians. A label stands before a colon where its number or case would bend the sentence."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Claim
from vitruvian.explanation.drafts.base import Templates, listed
from vitruvian.explanation.drafts.parts import by_sign, has, numbered, with_slot
from vitruvian.explanation.drafts.parts import names as slots

__all__ = ["TEMPLATES", "apart", "driver", "moved_from"]


def _list(items: list[str]) -> str:
    return listed(items, "und")


def _names(claim: Claim, head: str, last: str = "und") -> str:
    return slots(claim, head, last)


def _interval(claim: Claim) -> str:
    """The interval in brackets, where there is one; of a fall its smaller end first."""
    if not has(claim, "low"):
        return ""
    ends = "{high} bis {low}" if claim.kind == "effect" and claim.sign == -1 else "{low} bis {high}"
    return f" ({with_slot(claim, 'confidence', '{confidence}-')}Intervall {ends})"


def _over(claim: Claim) -> str:
    return with_slot(claim, "horizon", " {horizon}")


def moved_from(claim: Claim) -> str:
    """Where a risk came from, by its sign."""
    return by_sign(
        claim,
        {
            1: ", höher als {ago} ({earlier})",
            -1: ", niedriger als {ago} ({earlier})",
            0: ", genauso hoch wie {ago}",
            None: "",
        },
    )


def _risk(claim: Claim) -> str:
    head = f"Das Modell schätzt das Risiko für {{outcome}}{_over(claim)} auf {{risk}}{_interval(claim)}"
    return f"{head}{moved_from(claim)}."


def _frequency(claim: Claim) -> str:
    if not has(claim, "outcome"):
        return f"Das sind etwa {{risk}} Patienten mit ähnlichen Werten{_over(claim)}."
    return f"Bei Patienten mit ähnlichen Werten wäre {{outcome}}{_over(claim)} bei etwa {{risk}} zu erwarten."


def _usual(claim: Claim) -> str:
    stands = by_sign(claim, {1: "darüber", -1: "darunter", 0: "nahe daran"})
    what = "{outcome}" if has(claim, "outcome") else "das"
    return f"In den Trainingsdaten trat {what} bei etwa {{usual}} Patienten auf; dieses Risiko liegt {stands}."


def driver(claim: Claim, number: int) -> str:
    """One of what a risk is associated with."""
    value = claim.slot(f"v{number}")
    if value is not None and value.facet == "text":
        return f"{{d{number}}} ({{v{number}}}{with_slot(claim, f'm{number}', f', {{m{number}}}')})"
    return f"{{d{number}}} {{v{number}}}{with_slot(claim, f'm{number}', f' ({{m{number}}})')}"


def _drivers(claim: Claim) -> str:
    named = [driver(claim, n) for n in numbered(claim, "d")]
    return f"Am stärksten mit diesem Risiko verknüpft, nicht zwingend als Ursache: {_list(named)}."


def _valued(claim: Claim, head: str = "c") -> str:
    """Names with their values, and when where that is known."""
    timed = numbered(claim, "t")
    return _list([f"{{{head}{n}}} {{v{n}}}{f' {{t{n}}}' if n in timed else ''}" for n in numbered(claim, head)])


def _critical(claim: Claim) -> str:
    if has(claim, "place"):
        return f"{{place}}: {_valued(claim)} im kritischen Bereich."
    return f"Im kritischen Bereich: {_valued(claim)}."


def _missing(claim: Claim) -> str:
    if has(claim, "place"):
        return f"{{place}}: {_names(claim, 'm')} in letzter Zeit nicht gemessen."
    return f"In letzter Zeit nicht gemessen: {_names(claim, 'm')}."


def _critical_missing(claim: Claim) -> str:
    if has(claim, "place"):
        return (
            f"{{place}}: {_valued(claim)} im kritischen Bereich; {_names(claim, 'm')} in letzter Zeit nicht gemessen."
        )
    return f"Im kritischen Bereich: {_valued(claim)}; in letzter Zeit nicht gemessen: {_names(claim, 'm')}."


def _expected(claim: Claim) -> str:
    course: dict[int | None, str] = {
        1: "einen Anstieg von {now} auf {later}",
        -1: "einen Rückgang von {now} auf {later}",
        0: "keine Änderung, {now} jetzt und {later} dann",
    }
    said = by_sign(claim, course) if has(claim, "now") else "einen Wert von {later}"
    return f"{{subject}}: Das Modell erwartet {{horizon}} {said}{_interval(claim)}."


def _scenario(claim: Claim) -> str:
    done = [
        f"{{a{n}}}{with_slot(claim, f'dose{n}', f' {{dose{n}}}')}{with_slot(claim, f'how{n}', f' ({{how{n}}})')}"
        for n in numbered(claim, "a")
    ]
    taken = [f"{{e{n}}}{with_slot(claim, f'set{n}', f' (angenommen: {{set{n}}})')}" for n in numbered(claim, "e")]
    more = ["{more}"] if has(claim, "more") else []
    return f"Dieses Was-wäre-wenn simuliert {_list([*done, *taken, *more])}, verglichen mit dem Verlauf ohne Änderung."


def _effect(claim: Claim) -> str:
    sure = with_slot(claim, "likelihood", "; dass es in diese Richtung geht, ist {likelihood}")
    return f"{{subject}}: in der Simulation wäre der Wert {{horizon}} {apart(claim)}{_interval(claim)}{sure}."


def apart(claim: Claim) -> str:
    """How far two runs lie apart at the same time: never a change in time, and never as if it had happened."""
    return by_sign(
        claim,
        {
            1: "um {difference} höher als ohne die Änderung",
            -1: "um {difference} niedriger als ohne die Änderung",
            0: "höchstens um {difference} anders als ohne die Änderung",
        },
    )


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
    named = [f"{{a{n}}} (ausgelöst {{s{n}}})" for n in numbered(claim, "a")]
    more = ["{more}"] if has(claim, "more") else []
    alarm = "Offener Alarm" if len(named) == 1 and not more else "Offene Alarme"
    place = with_slot(claim, "place", " bei {place}")
    return f"{alarm}{place}: {_list([*named, *more])}."


def _medicines(claim: Claim) -> str:
    given = _list([f"{{g{n}}}{with_slot(claim, f'd{n}', f' {{d{n}}}')} {{t{n}}}" for n in numbered(claim, "g")])
    return f"{{place}} erhielt {given}." if has(claim, "place") else f"Gegeben wurden: {given}."


def _stands(claim: Claim) -> str:
    return by_sign(
        claim,
        {
            1: ", über dem üblichen Bereich", -1: ", unter dem üblichen Bereich", 0: ", im üblichen Bereich", None: "",
        },
    )  # fmt: skip


def _latest(claim: Claim) -> str:
    return f"{{subject}}: zuletzt {{value}}{with_slot(claim, 'when', ', gemessen {when}')}{_stands(claim)}."


def _changed(claim: Claim) -> str:
    moved = by_sign(
        claim,
        {
            1: "von {from} auf {to} gestiegen",
            -1: "von {from} auf {to} gefallen",
            0: "unverändert, {from} damals und {to} jetzt",
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
    return f"{{window}} {by_sign(claim, {1: 'gestiegen', -1: 'gefallen', 0: 'kaum verändert'})}: {_list(named)}."


def _extreme(claim: Claim) -> str:
    most = by_sign(claim, {1: "höchste", -1: "niedrigste"})
    return f"{{subject}}: Der {most} Wert {{window}} war {{value}}{with_slot(claim, 'when', ' {when}')}."


def _bed(claim: Claim) -> str:
    said = [with_slot(claim, "score", "Frühwarnscore {score}")]
    if has(claim, "risk"):
        said.append(f"Risiko{with_slot(claim, 'outcome', ' für {outcome}')} {{risk}}{moved_from(claim)}")
    return f"{{place}}: {_list([one for one in said if one]) if any(said) else 'kein Score und kein Risiko bekannt'}."


def _card(claim: Claim) -> str:
    often = with_slot(claim, "usual", "; in seinen Trainingsdaten trat das bei etwa {usual} Patienten auf")
    return f"Dieses Modell schätzt das Risiko für {{outcome}}{_over(claim)}{often}."


TEMPLATES: Final[Templates] = {
    ("risk", "clinician"): _risk,
    ("risk_moved", "clinician"): _risk,
    ("frequency", "clinician"): _frequency,
    ("usual", "clinician"): _usual,
    ("drivers", "clinician"): _drivers,
    ("no_drivers", "clinician"): (
        "Kein Messwert hebt das Risiko für {outcome} deutlich über das eines typischen Patienten."
    ),
    ("critical", "clinician"): _critical,
    ("missing", "clinician"): _missing,
    ("critical_missing", "clinician"): _critical_missing,
    ("silent", "clinician"): "Es wird kein Risiko angezeigt ({reason}).",
    ("note", "clinician"): lambda claim: f"Hinweis: {'; '.join(f'{{n{n}}}' for n in numbered(claim, 'n'))}.",
    ("expected", "clinician"): _expected,
    ("critical_ahead", "clinician"): lambda claim: f"Die Simulation erreicht den kritischen Bereich: {_valued(claim)}.",
    ("steady", "clinician"): lambda claim: (
        f"{{horizon}} ist keine nennenswerte Änderung zu erwarten: {_names(claim, 's')}."
    ),
    ("scenario", "clinician"): _scenario,
    ("effect", "clinician"): _effect,
    ("effect_open", "clinician"): lambda claim: (
        f"Die Simulation zeigt keine klare Richtung für {_names(claim, 's', 'oder')}."
    ),
    ("risk_effect", "clinician"): lambda claim: (
        f"In der Simulation wäre das vorhergesagte Risiko für {{outcome}}{_over(claim)} {_before_after(claim)}"
        " (Empfindlichkeit des Modells, keine ursächliche Wirkung)."
    ),
    ("score_effect", "clinician"): lambda claim: (
        f"In der Simulation wäre {{outcome}}{_over(claim)}, nach fester Regel berechnet, {_before_after(claim)}."
    ),
    ("data_share", "clinician"): (
        "Die Daten dieses Patienten bestimmen {share} der simulierten Wirkungen,"
        " den Rest bestimmt das allgemeine Modell."
    ),
    ("alarm", "clinician"): "Der Alarm für {alarm} ({text}) wurde {since} ausgelöst und ist noch offen.",
    ("alarms", "clinician"): _alarms,
    ("no_alarm", "clinician"): "Kein Alarm ist offen.",
    ("given", "clinician"): lambda claim: f"{{when}} gegeben: {{what}}{with_slot(claim, 'dose', ' {dose}')}.",
    ("medicines", "clinician"): _medicines,
    ("happened", "clinician"): lambda claim: f"{{when}} vermerkt: {{what}}{with_slot(claim, 'how', ' ({how})')}.",
    ("latest", "clinician"): _latest,
    ("changed", "clinician"): _changed,
    ("results", "clinician"): _results,
    ("changes", "clinician"): _changes,
    ("extreme", "clinician"): _extreme,
    ("absent", "clinician"): lambda claim: f"{{subject}}: kein Eintrag{with_slot(claim, 'window', ' {window}')}.",
    ("ward", "clinician"): lambda claim: f"Diese Station hat {{beds}}{with_slot(claim, 'alarms', ' und {alarms}')}.",
    ("bed", "clinician"): _bed,
    ("card", "clinician"): _card,
    ("trained", "clinician"): lambda claim: (
        f"Trainiert wurde es mit: {{data}}{with_slot(claim, 'patients', ' ({patients})')}."
    ),
    ("figure", "clinician"): lambda claim: (
        f"In der Bewertung des Modells gemessen: {{figure}} {{value}}{_interval(claim)}."
    ),
    ("unknown", "clinician"): "Die vorliegenden Angaben beantworten das nicht: {reason}.",
    ("refused", "clinician"): "Das wird hier nicht beantwortet: {reason}.",
}
