"""`vitruvian simulate`: what a body does when something happens to it, as files, a plot and figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from vitruvian.core.errors import ConfigurationError, ModelError, NotFoundError

if TYPE_CHECKING:
    from vitruvian.physiology.presets import Preset
    from vitruvian.physiology.simulate import Person, Trajectories

_DO = (
    "One more thing that is done: NAME=QUANTITY[@START][+DURATION], as in crystalloid=500mL@10min+15min. "
    "May be repeated; one that is already part of the simulation is replaced."
)
_NAME = "What happens: haemorrhage, sepsis, vasopressor, ... (--list shows all), infusion, or none."
_OUT = "Write trajectory.parquet, summary.json and trajectory.svg to this folder."
_SET = "A parameter of the model: NAME=VALUE. May be repeated."


def simulate_command(
    name: Annotated[str, typer.Argument(help=_NAME)] = "",
    rate: Annotated[str, typer.Option(help="How much at a time, with its unit: 140mL/min, 0.1ug/kg/min.")] = "",
    amount: Annotated[str, typer.Option(help="How much in all, with its unit: 500mL, 60g, 5U, 1000mg.")] = "",
    severity: Annotated[str, typer.Option(help="How severe, or what is set, where it has no rate: 0.8, 75W.")] = "",
    for_: Annotated[str, typer.Option("--for", help="How long it is done: 560s, 10min, 6h.")] = "",
    start: Annotated[str, typer.Option(help="When it begins: 5min.")] = "",
    until: Annotated[str, typer.Option(help="How long to simulate in all: 1h.")] = "",
    do: Annotated[list[str] | None, typer.Option(help=_DO)] = None,
    drug: Annotated[str, typer.Option(help="With infusion: the drug.")] = "",
    body: Annotated[str, typer.Option(help="The model; the simulation's own where none is given.")] = "",
    age: Annotated[float, typer.Option(help="Years.")] = 44.0,
    sex: Annotated[str, typer.Option(help="male or female.")] = "male",
    height: Annotated[float, typer.Option(help="cm.")] = 180.0,
    weight: Annotated[float, typer.Option(help="kg.")] = 77.1,
    set_: Annotated[list[str] | None, typer.Option("--set", help=_SET)] = None,
    members: Annotated[int, typer.Option(help="How many people like this one, drawn from the population.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 1,
    output: Annotated[list[str] | None, typer.Option(help="What to look at; may be repeated; or all.")] = None,
    every: Annotated[str, typer.Option(help="How often to look: 1s.")] = "",
    out: Annotated[Path | None, typer.Option(help=_OUT)] = None,
    plot: Annotated[bool, typer.Option("--plot", help="Draw NAME.svg here, or trajectory.svg in --out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="List simulations, models and interventions.")] = False,
) -> None:
    """Simulate a person: blood loss, fluids, drugs, oxygen, ventilation, sepsis, meals, exercise."""
    if list_:
        typer.echo(_listing(as_json))
        return
    if not name:
        raise ConfigurationError("found no simulation to run, expected a name; `vitruvian simulate --list` shows them")
    from vitruvian.physiology.bodies import body as model_named
    from vitruvian.physiology.quantities import duration_s
    from vitruvian.physiology.simulate import simulate

    chosen = _chosen(name, rate or amount or severity, for_, until, start, do or [], drug, body)
    model = model_named(chosen.body)
    found = simulate(
        model,
        chosen.actions() if chosen.action.name != "none" else chosen.also,
        for_s=chosen.until_s,
        every_s=duration_s(every) if every else None,
        person=_person(age, sex, height, weight),
        parameters=_parameters(set_ or []),
        members=members,
        seed=seed,
    )
    found.about["title"] = f"{chosen.title}, {model.title.lower()}"
    wanted = list(output or [one for one in chosen.outputs if one in found.names])
    shown = found if not wanted or wanted == ["all"] else found.select(wanted)
    _tell(shown, found, name, out, plot, as_json)


def _tell(shown: Trajectories, found: Trajectories, name: str, out: Path | None, plot: bool, as_json: bool) -> None:
    paths = found.write(out) if out is not None else []
    if out is not None and len(shown.outputs) < len(found.outputs):
        shown.plot(out / "trajectory.svg")
    if plot and out is None:
        paths = [shown.plot(Path(f"{name}.svg"))]
    if as_json:
        typer.echo(json.dumps(shown.summary(), ensure_ascii=False, allow_nan=False))
        return
    typer.echo(_table(shown))
    for warning in found.about.get("warnings", ()):
        typer.echo(f"beyond belief: {warning}", err=True)
    for path in paths:
        typer.echo(f"wrote {path}", err=True)


def _chosen(name: str, value: str, for_: str, until: str, start: str, do: list[str], drug: str, body: str) -> Preset:
    from dataclasses import replace

    from vitruvian.physiology.actions import Action
    from vitruvian.physiology.presets import Preset, preset
    from vitruvian.physiology.quantities import duration_s, quantity

    if name == "infusion":
        if not drug or not value:
            raise ConfigurationError("found an infusion without --drug or without --rate or --amount; give both")
        drug, body = _drug(drug, body)
        chosen = Preset("infusion", drug.capitalize(), body, Action(drug, 0.0), 3_600.0, ())
        if not for_:
            typer.echo("no --for: given at once where the model takes a dose, else to the end", err=True)
    elif name == "none":
        chosen = Preset("none", "Nothing done", body or "acute", Action("none", 0.0), 3_600.0, ())
    else:
        chosen = preset(name)
    times = [duration_s(text) if text else None for text in (for_, until, start)]
    chosen = chosen.changed(quantity(value) if value else None, times[0], times[1], times[2])
    if body:
        chosen = replace(chosen, body=body)
    asked = [_action(text) for text in do]
    named = {one.name for one in asked}
    kept = [one for one in chosen.also if one.name not in named]
    if chosen.action.name in named and not value:
        chosen = replace(chosen, action=replace(chosen.action, name="none"))
    ends = (one.start_s + (one.duration_s or 0.0) for one in asked)
    until_s = chosen.until_s if until else max(chosen.until_s, *ends, 0.0)
    for one in (chosen.action, *kept, *asked):
        if one.name != "none" and one.start_s >= until_s:
            typer.echo(f"{one.name} begins at {one.start_s:g} s, after the end: --until is {until_s:g} s", err=True)
    return replace(chosen, also=(*kept, *asked), until_s=until_s)


def _drug(name: str, body: str) -> tuple[str, str]:
    """The drug's own name and the model to run it in. Raises NotFoundError that lists the drugs."""
    from vitruvian.core.vocabulary import VOCABULARY
    from vitruvian.physiology.bodies import NAMES
    from vitruvian.physiology.bodies import body as model_named

    concept = VOCABULARY.get(name) or VOCABULARY.by_alias(name)
    name = concept.name if concept else name.casefold()
    if body:
        return name, body
    bedside = model_named("acute")
    if name in bedside.input_index:
        return name, "acute"
    if name not in NAMES:
        drugs = sorted({*NAMES} & {one.name for one in VOCABULARY if one.kind == "intervention"})
        raise NotFoundError(f"found drug {name!r}, expected one of {', '.join(drugs)}")
    return name, name


def _action(text: str) -> Any:
    """NAME=QUANTITY[@START][+DURATION]."""
    from vitruvian.physiology.actions import Action
    from vitruvian.physiology.quantities import duration_s, quantity

    name, equals, rest = text.partition("=")
    if not equals or not name:
        raise ConfigurationError(f"found --do {text!r}, expected NAME=QUANTITY[@START][+DURATION]")
    rest, _, lasts = rest.partition("+")
    stated, _, begins = rest.partition("@")
    value, unit = quantity(stated)
    return Action(name, value, unit, duration_s(begins) if begins else 0.0, duration_s(lasts) if lasts else None)


def _person(age: float, sex: str, height: float, weight: float) -> Person:
    from vitruvian.physiology.simulate import Person

    if sex not in ("male", "female"):
        raise ModelError(f"found --sex {sex}, expected male or female")
    which: Literal["male", "female"] = "male" if sex == "male" else "female"
    return Person(age, which, height, weight)


def _parameters(stated: list[str]) -> dict[str, float]:
    found = {}
    for text in stated:
        name, equals, value = text.partition("=")
        try:
            found[name] = float(value)
        except ValueError:
            raise ConfigurationError(f"found --set {text!r}, expected NAME=VALUE") from None
        if not equals:
            raise ConfigurationError(f"found --set {text!r}, expected NAME=VALUE")
    return found


def _table(found: Trajectories) -> str:
    """What a person reads: each output at the start and the end, and its extremes."""
    from vitruvian.core.vocabulary import VOCABULARY

    lines = [f"{'(simulated)':<46} {'unit':<14} {'start':>10} {'lowest':>10} {'highest':>10} {'end':>10}"]
    for name, row in found.summary()["outputs"].items():
        concept = VOCABULARY.get(name)
        digits = concept.decimals if concept else 2
        cells = (row[key]["median"] for key in ("start", "lowest", "highest", "end"))
        text = " ".join(f"{'--' if one is None else format(one, f'.{digits}f'):>10}" for one in cells)
        lines.append(f"{(concept.display if concept else name)[:45]:<46} {row['unit']:<14} {text}")
    return "\n".join(lines)


def _listing(as_json: bool) -> str:
    from vitruvian.physiology.bodies import NAMES, body
    from vitruvian.physiology.presets import PRESETS

    titles = {one.name: one.title for one in PRESETS.values()}
    models = {name: body(name) for name in NAMES}
    given = {
        name: {one.name: one.unit for one in model.inputs} | {f"{one.name} (dose)": one.unit for one in model.doses}
        for name, model in models.items()
    }
    if as_json:
        described = {
            name: {
                "title": model.title,
                "interventions": given[name],
                "outputs": {one.name: one.unit for one in model.outputs},
            }
            for name, model in models.items()
        }
        return json.dumps({"simulations": titles, "models": described}, ensure_ascii=False)
    lines = ["Simulations:", *(f"  {name:<20} {title}" for name, title in titles.items())]
    lines.append(f"  {'infusion':<20} Any drug: --drug vancomycin --amount 1000mg --for 1h --until 24h")
    lines.append("Models, and what can be done to them:")
    for name, model in models.items():
        lines.append(f"  {name:<20} {model.title}")
        lines.append(f"  {'':<20}   {', '.join(f'{key} [{unit}]' for key, unit in given[name].items()) or '-'}")
    return "\n".join(lines)


def register(app: typer.Typer) -> None:
    """Add `simulate`."""
    app.command("simulate")(simulate_command)
