"""Spanish for clinicians. Lists stand behind a colon with semicolons: `y` would have to bend before some names."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Claim
from vitruvian.explanation.drafts.base import Templates
from vitruvian.explanation.drafts.parts import by_sign, has, numbered, with_slot

__all__ = ["TEMPLATES", "apart", "driver", "moved_from", "names", "over"]


def names(claim: Claim, head: str) -> str:
    """The slots of a list."""
    return "; ".join(f"{{{head}{n}}}" for n in numbered(claim, head))


def over(claim: Claim) -> str:
    """The horizon, where there is one."""
    return with_slot(claim, "horizon", " {horizon}")


def moved_from(claim: Claim) -> str:
    """Where a risk came from, by its sign."""
    return by_sign(
        claim,
        {
            1: ", más alto que {ago} ({earlier})",
            -1: ", más bajo que {ago} ({earlier})",
            0: ", igual que {ago}",
            None: "",
        },
    )


def _interval(claim: Claim) -> str:
    """The interval in brackets, where there is one; of a fall its smaller end first."""
    if not has(claim, "low"):
        return ""
    ends = "{high} a {low}" if claim.kind == "effect" and claim.sign == -1 else "{low} a {high}"
    return f" (intervalo{with_slot(claim, 'confidence', ' de {confidence}')}: {ends})"


def _risk(claim: Claim) -> str:
    return f"El modelo estima el riesgo de {{outcome}}{over(claim)} en {{risk}}{_interval(claim)}{moved_from(claim)}."


def _frequency(claim: Claim) -> str:
    if not has(claim, "outcome"):
        return f"Es decir, alrededor de {{risk}} pacientes con valores como estos{over(claim)}."
    return f"Entre pacientes con valores como estos cabría esperar {{outcome}}{over(claim)} en alrededor de {{risk}}."


def _usual(claim: Claim) -> str:
    stands = by_sign(claim, {1: "por encima", -1: "por debajo", 0: "cerca"})
    what = "hubo {outcome}" if has(claim, "outcome") else "lo hubo"
    seen = f"En los datos de entrenamiento {what} en alrededor de {{usual}} pacientes"
    return f"{seen}; este riesgo está {stands} de eso."


def driver(claim: Claim, number: int) -> str:
    """One of what a risk is associated with."""
    value = claim.slot(f"v{number}")
    if value is not None and value.facet == "text":
        return f"{{d{number}}} ({{v{number}}}{with_slot(claim, f'm{number}', f', {{m{number}}}')})"
    return f"{{d{number}}} {{v{number}}}{with_slot(claim, f'm{number}', f' ({{m{number}}})')}"


def _drivers(claim: Claim) -> str:
    named = "; ".join(driver(claim, n) for n in numbered(claim, "d"))
    return f"Lo que más se asocia con este riesgo, no necesariamente como causa: {named}."


def _valued(claim: Claim, head: str = "c") -> str:
    """Names with their values, and when where that is known."""
    timed = numbered(claim, "t")
    return "; ".join(f"{{{head}{n}}} {{v{n}}}{f' {{t{n}}}' if n in timed else ''}" for n in numbered(claim, head))


def _critical(claim: Claim) -> str:
    head = "{place}, en rango crítico" if has(claim, "place") else "En rango crítico"
    return f"{head}: {_valued(claim)}."


def _missing(claim: Claim) -> str:
    head = "{place}, sin medir últimamente" if has(claim, "place") else "Sin medir últimamente"
    return f"{head}: {names(claim, 'm')}."


def _critical_missing(claim: Claim) -> str:
    head = "{place}, en rango crítico" if has(claim, "place") else "En rango crítico"
    return f"{head}: {_valued(claim)}; y sin medir últimamente: {names(claim, 'm')}."


def _expected(claim: Claim) -> str:
    course: dict[int | None, str] = {
        1: "una subida de {now} a {later}",
        -1: "una bajada de {now} a {later}",
        0: "que no cambie, {now} ahora y {later} entonces",
    }
    said = by_sign(claim, course) if has(claim, "now") else "un valor de {later}"
    return f"{{subject}}: el modelo espera {{horizon}} {said}{_interval(claim)}."


def _scenario(claim: Claim) -> str:
    done = [
        f"{{a{n}}}{with_slot(claim, f'dose{n}', f' {{dose{n}}}')}{with_slot(claim, f'how{n}', f' ({{how{n}}})')}"
        for n in numbered(claim, "a")
    ]
    taken = [f"{{e{n}}}{with_slot(claim, f'set{n}', f' (se supone {{set{n}}})')}" for n in numbered(claim, "e")]
    more = ["{more}"] if has(claim, "more") else []
    return f"Este supuesto simula, frente al curso sin cambios: {'; '.join([*done, *taken, *more])}."


def _effect(claim: Claim) -> str:
    sure = with_slot(claim, "likelihood", "; que vaya en este sentido es {likelihood}")
    return f"{{subject}}: en la simulación, {{horizon}}, {apart(claim)}{_interval(claim)}{sure}."


def apart(claim: Claim) -> str:
    """How far two runs lie apart at the same time: never a change in time, and never as if it had happened."""
    return by_sign(
        claim,
        {
            1: "quedaría {difference} por encima de lo que sería sin el cambio",
            -1: "quedaría {difference} por debajo de lo que sería sin el cambio",
            0: "quedaría como mucho a {difference} de lo que sería sin el cambio",
        },
    )


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
    named = [f"{{a{n}}} (activada {{s{n}}})" for n in numbered(claim, "a")]
    more = ["{more}"] if has(claim, "more") else []
    alarm = "Alarma abierta" if len(named) == 1 and not more else "Alarmas abiertas"
    return f"{alarm}{with_slot(claim, 'place', ' en {place}')}: {'; '.join([*named, *more])}."


def _medicines(claim: Claim) -> str:
    given = "; ".join(f"{{g{n}}}{with_slot(claim, f'd{n}', f' {{d{n}}}')} {{t{n}}}" for n in numbered(claim, "g"))
    return f"{'{place}, administrado' if has(claim, 'place') else 'Administrado'}: {given}."


def _latest(claim: Claim) -> str:
    stands = by_sign(
        claim,
        {
            1: ", por encima del rango habitual", -1: ", por debajo del rango habitual",
            0: ", dentro del rango habitual", None: "",
        },
    )  # fmt: skip
    return f"{{subject}}: último valor {{value}}{with_slot(claim, 'when', ', medido {when}')}{stands}."


def _changed(claim: Claim) -> str:
    moved = by_sign(
        claim,
        {
            1: "ha subido de {from} a {to}",
            -1: "ha bajado de {from} a {to}",
            0: "no ha cambiado, {from} entonces y {to} ahora,",
        },
    )
    return f"{{subject}}: {moved} {{window}}."


def _results(claim: Claim) -> str:
    head = by_sign(
        claim,
        {
            1: "Por encima del rango habitual", -1: "Por debajo del rango habitual",
            0: "Dentro del rango habitual", None: "Resultados",
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
        said.append(f"riesgo{with_slot(claim, 'outcome', ' de {outcome}')} {{risk}}{moved_from(claim)}")
    return f"{{place}}: {'; '.join(one for one in said if one) or 'sin puntuación ni riesgo conocidos'}."


def _card(claim: Claim) -> str:
    often = with_slot(claim, "usual", "; en sus datos de entrenamiento lo hubo en alrededor de {usual} pacientes")
    return f"Este modelo estima el riesgo de {{outcome}}{over(claim)}{often}."


TEMPLATES: Final[Templates] = {
    ("risk", "clinician"): _risk,
    ("risk_moved", "clinician"): _risk,
    ("frequency", "clinician"): _frequency,
    ("usual", "clinician"): _usual,
    ("drivers", "clinician"): _drivers,
    ("no_drivers", "clinician"): (
        "Ningún valor eleva el riesgo de {outcome} claramente por encima del de un paciente típico."
    ),
    ("critical", "clinician"): _critical,
    ("missing", "clinician"): _missing,
    ("critical_missing", "clinician"): _critical_missing,
    ("silent", "clinician"): "No se muestra ningún riesgo ({reason}).",
    ("note", "clinician"): lambda claim: f"Nota: {'; '.join(f'{{n{n}}}' for n in numbered(claim, 'n'))}.",
    ("expected", "clinician"): _expected,
    ("critical_ahead", "clinician"): lambda claim: f"La simulación alcanza el rango crítico: {_valued(claim)}.",
    ("steady", "clinician"): lambda claim: f"No se espera ningún cambio notable {{horizon}}: {names(claim, 's')}.",
    ("scenario", "clinician"): _scenario,
    ("effect", "clinician"): _effect,
    ("effect_open", "clinician"): lambda claim: f"La simulación no muestra un sentido claro: {names(claim, 's')}.",
    ("risk_effect", "clinician"): lambda claim: (
        f"En la simulación, el riesgo estimado de {{outcome}}{over(claim)} {_before_after(claim)}"
        " (sensibilidad del modelo, no un efecto causal)."
    ),
    ("score_effect", "clinician"): lambda claim: (
        f"En la simulación, {{outcome}}{over(claim)}, según su regla fija, {_before_after(claim)}."
    ),
    ("data_share", "clinician"): (
        "Los datos de este paciente deciden {share} de los efectos simulados, y el modelo general decide el resto."
    ),
    ("alarm", "clinician"): "La alarma de {alarm} ({text}) se activó {since} y sigue abierta.",
    ("alarms", "clinician"): _alarms,
    ("no_alarm", "clinician"): "No hay ninguna alarma abierta.",
    ("given", "clinician"): lambda claim: f"Administrado {{when}}: {{what}}{with_slot(claim, 'dose', ' {dose}')}.",
    ("medicines", "clinician"): _medicines,
    ("happened", "clinician"): lambda claim: f"Registrado {{when}}: {{what}}{with_slot(claim, 'how', ' ({how})')}.",
    ("latest", "clinician"): _latest,
    ("changed", "clinician"): _changed,
    ("results", "clinician"): _results,
    ("changes", "clinician"): _changes,
    ("extreme", "clinician"): _extreme,
    ("absent", "clinician"): lambda claim: f"{{subject}}: sin registro{with_slot(claim, 'window', ' {window}')}.",
    ("ward", "clinician"): lambda claim: f"Esta unidad tiene {{beds}}{with_slot(claim, 'alarms', ' y {alarms}')}.",
    ("bed", "clinician"): _bed,
    ("card", "clinician"): _card,
    ("trained", "clinician"): lambda claim: f"Se entrenó con: {{data}}{with_slot(claim, 'patients', ' ({patients})')}.",
    ("figure", "clinician"): lambda claim: (
        f"Medido en la evaluación del modelo: {{figure}} {{value}}{_interval(claim)}."
    ),
    ("unknown", "clinician"): "Los datos disponibles no responden a esto: {reason}.",
    ("refused", "clinician"): "Esto no se responde aquí: {reason}.",
}
