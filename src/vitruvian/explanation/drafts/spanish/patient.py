"""Spanish for patients and families: plain words, calm; of causes it only says that it claims none."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Claim
from vitruvian.explanation.drafts.base import Templates
from vitruvian.explanation.drafts.parts import by_sign, has, numbered, with_slot
from vitruvian.explanation.drafts.spanish.clinician import apart, driver, names, over

__all__ = ["TEMPLATES"]


def _range(claim: Claim) -> str:
    """The interval in brackets, where there is one; of a fall its smaller end first."""
    if not has(claim, "low"):
        return ""
    ends = "{high} a {low}" if claim.kind == "effect" and claim.sign == -1 else "{low} a {high}"
    return f" (margen{with_slot(claim, 'confidence', ' de {confidence}')}: {ends})"


def _moved_from(claim: Claim) -> str:
    return by_sign(
        claim,
        {
            1: ", más alta que {ago} ({earlier})",
            -1: ", más baja que {ago} ({earlier})",
            0: ", igual que {ago}",
            None: "",
        },
    )


def _risk(claim: Claim) -> str:
    head = f"El modelo estima la probabilidad de {{outcome}}{over(claim)} en {{risk}}{_range(claim)}"
    return f"{head}{_moved_from(claim)}."


def _frequency(claim: Claim) -> str:
    if not has(claim, "outcome"):
        return f"Son unas {{risk}} personas con valores como los suyos{over(claim)}."
    return f"De las personas con valores como los suyos, a unas {{risk}} les ocurriría{over(claim)}: {{outcome}}."


def _usual(claim: Claim) -> str:
    stands = by_sign(claim, {1: "por encima", -1: "por debajo", 0: "cerca"})
    what = "hubo {outcome}" if has(claim, "outcome") else "esto ocurrió"
    seen = f"Entre las personas de las que aprendió el modelo {what} en unas {{usual}}"
    return f"{seen}; su valor está {stands} de eso."


def _drivers(claim: Claim) -> str:
    named = "; ".join(driver(claim, n) for n in numbered(claim, "d"))
    return f"Lo que más cuenta en el modelo, sin que sea por fuerza la causa: {named}."


def _valued(claim: Claim, head: str = "c") -> str:
    """Names with their values, and when where that is known."""
    timed = numbered(claim, "t")
    return "; ".join(f"{{{head}{n}}} {{v{n}}}{f' {{t{n}}}' if n in timed else ''}" for n in numbered(claim, head))


def _place(claim: Claim, text: str) -> str:
    """Behind the place where there is one, else at the beginning of a sentence."""
    return f"{{place}}, {text}" if has(claim, "place") else f"{text[0].upper()}{text[1:]}"


def _expected(claim: Claim) -> str:
    course: dict[int | None, str] = {
        1: "que suba de {now} a {later}",
        -1: "que baje de {now} a {later}",
        0: "que siga igual, {now} ahora y {later} entonces",
    }
    said = by_sign(claim, course) if has(claim, "now") else "un valor de {later}"
    return f"{{subject}}: el modelo espera {{horizon}} {said}{_range(claim)}."


def _dose(claim: Claim, number: int) -> str:
    how = with_slot(claim, f"how{number}", f" ({{how{number}}})")
    return f"{with_slot(claim, f'dose{number}', f' {{dose{number}}}')}{how}"


def _scenario(claim: Claim) -> str:
    done = [f"{{a{n}}}{_dose(claim, n)}" for n in numbered(claim, "a")]
    taken = [f"{{e{n}}}{with_slot(claim, f'set{n}', f' (se supone {{set{n}}})')}" for n in numbered(claim, "e")]
    more = ["{more}"] if has(claim, "more") else []
    return f"Esto es solo una prueba en el modelo, no un plan: {'; '.join([*done, *taken, *more])}."


def _effect(claim: Claim) -> str:
    sure = with_slot(claim, "likelihood", "; esto es {likelihood}")
    return f"{{subject}}: en esta prueba, {{horizon}}, {apart(claim)}{_range(claim)}{sure}."


def _before_after(claim: Claim) -> str:
    return by_sign(
        claim,
        {
            1: "sería mayor, {before} sin el cambio y {after} con él",
            -1: "sería menor, {before} sin el cambio y {after} con él",
            0: "sería igual, {before} sin el cambio y {after} con él",
        },
    )


def _alarms(claim: Claim) -> str:
    named = [f"{{a{n}}} ({{s{n}}})" for n in numbered(claim, "a")]
    more = ["{more}"] if has(claim, "more") else []
    alarm = "Alarma abierta" if len(named) == 1 and not more else "Alarmas abiertas"
    return f"{alarm}{with_slot(claim, 'place', ' en {place}')}: {'; '.join([*named, *more])}."


def _medicines(claim: Claim) -> str:
    given = "; ".join(f"{{g{n}}}{with_slot(claim, f'd{n}', f' {{d{n}}}')} {{t{n}}}" for n in numbered(claim, "g"))
    return f"{{place}} ha recibido: {given}." if has(claim, "place") else f"Ha recibido: {given}."


def _latest(claim: Claim) -> str:
    stands = by_sign(
        claim,
        {
            1: ", por encima de lo habitual", -1: ", por debajo de lo habitual", 0: ", dentro de lo habitual", None: "",
        },
    )  # fmt: skip
    return f"{{subject}}: último valor {{value}}{with_slot(claim, 'when', ', medido {when}')}{stands}."


def _changed(claim: Claim) -> str:
    moved = by_sign(
        claim,
        {
            1: "ha subido de {from} a {to}",
            -1: "ha bajado de {from} a {to}",
            0: "sigue igual, {from} entonces y {to} ahora,",
        },
    )
    return f"{{subject}}: {moved} {{window}}."


def _results(claim: Claim) -> str:
    head = by_sign(
        claim,
        {
            1: "Por encima de lo habitual", -1: "Por debajo de lo habitual", 0: "Dentro de lo habitual",
            None: "Resultados",
        },
    )  # fmt: skip
    return f"{head}: {_valued(claim, 's')}."


def _changes(claim: Claim) -> str:
    named = "; ".join(f"{{s{n}}} de {{f{n}}} a {{v{n}}}" for n in numbered(claim, "s"))
    return f"{by_sign(claim, {1: 'Ha subido', -1: 'Ha bajado', 0: 'Apenas ha cambiado'})} {{window}}: {named}."


def _extreme(claim: Claim) -> str:
    most = by_sign(claim, {1: "alto", -1: "bajo"})
    return f"{{subject}}: el valor más {most} {{window}} fue {{value}}{with_slot(claim, 'when', ' {when}')}."


def _bed(claim: Claim) -> str:
    said = [with_slot(claim, "score", "puntuación de alerta {score}")]
    if has(claim, "risk"):
        said.append(f"probabilidad{with_slot(claim, 'outcome', ' de {outcome}')} {{risk}}{_moved_from(claim)}")
    return f"{{place}}: {'; '.join(one for one in said if one) or 'aún no se sabe nada'}."


def _card(claim: Claim) -> str:
    often = with_slot(claim, "usual", "; entre las personas de las que aprendió lo hubo en unas {usual}")
    return f"Este modelo estima la probabilidad de {{outcome}}{over(claim)}{often}."


TEMPLATES: Final[Templates] = {
    ("risk", "patient"): _risk,
    ("risk_moved", "patient"): _risk,
    ("frequency", "patient"): _frequency,
    ("usual", "patient"): _usual,
    ("drivers", "patient"): _drivers,
    ("no_drivers", "patient"): "Ningún valor por sí solo destaca en la probabilidad de {outcome}.",
    ("critical", "patient"): lambda claim: _place(claim, f"muy fuera de lo habitual: {_valued(claim)}."),
    ("missing", "patient"): lambda claim: _place(claim, f"sin medir últimamente: {names(claim, 'm')}."),
    ("critical_missing", "patient"): lambda claim: _place(
        claim, f"muy fuera de lo habitual: {_valued(claim)}; y sin medir últimamente: {names(claim, 'm')}."
    ),
    ("silent", "patient"): "El modelo no da ninguna cifra ahora ({reason}).",
    ("note", "patient"): lambda claim: f"Tenga en cuenta: {'; '.join(f'{{n{n}}}' for n in numbered(claim, 'n'))}.",
    ("expected", "patient"): _expected,
    ("critical_ahead", "patient"): lambda claim: f"En el modelo llega muy fuera de lo habitual: {_valued(claim)}.",
    ("steady", "patient"): lambda claim: f"Se espera poco cambio {{horizon}}: {names(claim, 's')}.",
    ("scenario", "patient"): _scenario,
    ("effect", "patient"): _effect,
    ("effect_open", "patient"): lambda claim: f"La prueba no muestra un cambio claro: {names(claim, 's')}.",
    ("risk_effect", "patient"): lambda claim: (
        f"En esta prueba, la cifra del modelo para {{outcome}}{over(claim)} {_before_after(claim)}"
        " (esto no indica una causa)."
    ),
    ("score_effect", "patient"): lambda claim: f"En esta prueba, {{outcome}}{over(claim)} {_before_after(claim)}.",
    ("data_share", "patient"): (
        "Sus propios valores deciden {share} de esto, y el resto viene de lo que se sabe de las personas en general."
    ),
    ("alarm", "patient"): "La alarma de {alarm} ({text}) sonó {since} y sigue activa.",
    ("alarms", "patient"): _alarms,
    ("no_alarm", "patient"): "No hay ninguna alarma activa.",
    ("given", "patient"): lambda claim: f"Administrado {{when}}: {{what}}{with_slot(claim, 'dose', ' {dose}')}.",
    ("medicines", "patient"): _medicines,
    ("happened", "patient"): lambda claim: f"Anotado {{when}}: {{what}}{with_slot(claim, 'how', ' ({how})')}.",
    ("latest", "patient"): _latest,
    ("changed", "patient"): _changed,
    ("results", "patient"): _results,
    ("changes", "patient"): _changes,
    ("extreme", "patient"): _extreme,
    ("absent", "patient"): lambda claim: f"{{subject}}: sin medición{with_slot(claim, 'window', ' {window}')}.",
    ("ward", "patient"): lambda claim: f"Esta unidad tiene {{beds}}{with_slot(claim, 'alarms', ' y {alarms}')}.",
    ("bed", "patient"): _bed,
    ("card", "patient"): _card,
    ("trained", "patient"): lambda claim: f"Aprendió de: {{data}}{with_slot(claim, 'patients', ' ({patients})')}.",
    ("figure", "patient"): lambda claim: f"En las pruebas del modelo: {{figure}} {{value}}{_range(claim)}.",
    ("unknown", "patient"): "Los registros no responden a esto: {reason}.",
    ("refused", "patient"): "Esto no se responde aquí: {reason}.",
}
