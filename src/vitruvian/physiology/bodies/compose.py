"""Join rooms into one model by their declared couplings.

A room's import is fed by the exports of the same name in other rooms, converted to its unit. Where several rooms offer
it, factors (names that end in `_factor`) multiply and anything else adds; where none does, the import's default holds.
Inputs of one name are one input. States and parameters are named `room.name`, and time units may differ from room to
room. The kernels are written out as text and compiled, so that a body costs what its rooms cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numba
import numpy as np

from vitruvian.core.errors import ModelError
from vitruvian.core.units import conversion
from vitruvian.physiology.base import SECONDS, Dose, Export, Import, Input, Model, Output, TimeUnit
from vitruvian.physiology.engine.specialise import digest
from vitruvian.physiology.person import Person

__all__ = ["compose"]

FACTOR: Final = "_factor"


class _Part(NamedTuple):
    """A room and where its pieces lie: in y, p, the exports x, and the scratch that its u takes."""

    room: Model
    y: int
    p: int
    x: int
    u: int


def compose(
    name: str,
    title: str,
    rooms: Sequence[Model],
    *,
    time_unit: TimeUnit = "s",
    hidden: Sequence[str] = (),
    **settings: Any,
) -> Model:
    """One model of several. Outputs of the same name are taken from the first room that has them; those named in
    `hidden` are left out. `settings` are fields of `Model`. Raises ModelError where rooms do not fit.
    """
    if len({one.name for one in rooms}) != len(rooms):
        raise ModelError(f"{name}: found a room twice, expected each once")
    parts = _parts(rooms)
    outputs: dict[str, tuple[int, int, Output]] = {}
    for i, room in enumerate(rooms):
        for j, output in enumerate(room.outputs):
            if output.name not in hidden:
                outputs.setdefault(output.name, (i, j, output))
    inputs = _inputs(name, rooms)
    open_imports = _open_imports(rooms)
    text = _source(parts, list(inputs), list(open_imports), list(outputs.values()), SECONDS[time_unit])
    kernels = _compiled(name, text, rooms)
    return Model(
        name=name,
        title=title,
        time_unit=time_unit,
        states=tuple(replace(s, name=f"{r.name}.{s.name}") for r in rooms for s in r.states),
        parameters=tuple(replace(q, name=f"{r.name}.{q.name}") for r in rooms for q in r.parameters),
        outputs=tuple(one for _, _, one in outputs.values()),
        inputs=tuple(inputs.values()),
        doses=tuple(_dose(room, dose) for room in rooms for dose in room.doses),
        imports=tuple(open_imports.values()),
        exports=tuple(replace(x, name=f"{r.name}.{x.name}") for r in rooms for x in r.exports),
        rhs=kernels["rhs"],
        observe=kernels["observe"],
        emit=kernels["emit"],
        start=kernels["start"],
        personalise=_personalise(tuple(rooms)),
        domain=_domain(tuple(rooms)),
        source=text + "".join(digest(room) for room in rooms),
        limits=settings.pop("limits", " ".join(room.limits for room in rooms if room.limits)),
        sources=settings.pop("sources", tuple(dict.fromkeys(source for room in rooms for source in room.sources))),
        **settings,
    )


def _parts(rooms: Sequence[Model]) -> list[_Part]:
    parts, y, p, x, u = [], 0, 0, 0, 0
    for room in rooms:
        parts.append(_Part(room, y, p, x, u))
        y, p, x = y + len(room.states), p + len(room.parameters), x + len(room.exports)
        u += len(room.inputs) + len(room.imports)
    return parts


def _inputs(name: str, rooms: Sequence[Model]) -> dict[str, Input]:
    known: dict[str, Input] = {}
    for room in rooms:
        for one in room.inputs:
            other = known.setdefault(one.name, one)
            factor, offset = conversion(one.unit, other.unit)
            if abs(one.default * factor + offset - other.default) > 1e-9:
                raise ModelError(f"{name}: found two defaults for {one.name}, expected one; rooms must agree")
    return known


def _open_imports(rooms: Sequence[Model]) -> dict[str, Import]:
    offered = {one.name for room in rooms for one in room.exports}
    return {one.name: one for room in rooms for one in room.imports if one.name not in offered}


def _dose(room: Model, dose: Dose) -> Dose:
    return replace(
        dose, into=f"{room.name}.{dose.into}", factor_by=f"{room.name}.{dose.factor_by}" if dose.factor_by else ""
    )


# --- the text of the kernels -------------------------------------------------


def _source(
    parts: Sequence[_Part],
    inputs: Sequence[str],
    open_imports: Sequence[str],
    outputs: Sequence[tuple[int, int, Output]],
    seconds: float,
) -> str:
    width_x = sum(len(one.room.exports) for one in parts)
    width_u = sum(len(one.room.inputs) + len(one.room.imports) for one in parts)
    exporters: dict[str, list[tuple[int, Export]]] = {}
    for part in parts:
        for j, one in enumerate(part.room.exports):
            exporters.setdefault(one.name, []).append((part.x + j, one))
    emits = [
        f"    emit_{i}(t * {seconds / part.room.seconds!r}, {_cut('y', part.y, part.room.states)}, "
        f"{_cut('p', part.p, part.room.parameters)}, {_cut('x', part.x, part.room.exports)})"
        for i, part in enumerate(parts)
        if part.room.exports
    ]
    gather = [line for part in parts for line in _gather(part, inputs, open_imports, exporters)]
    shared = [f"    w = np.empty({width_x + width_u})", f"    x = w[:{width_x}]", f"    v = w[{width_x}:]"]
    coupled = [*shared, *emits, *gather]
    lines = ["def rhs(t, y, p, u, dydt):", *coupled]
    for i, part in enumerate(parts):
        ratio, end = seconds / part.room.seconds, part.y + len(part.room.states)
        lines.append(f"    rhs_{i}(t * {ratio!r}, {_state_call(part)}, {_cut('dydt', part.y, part.room.states)})")
        if ratio != 1.0:
            lines += [f"    for i in range({part.y}, {end}):", f"        dydt[i] *= {ratio!r}"]
    lines += ["def observe(t, y, p, u, out):", *coupled]
    for i, part in enumerate(parts):
        taken = [(k, j) for k, (room, j, _) in enumerate(outputs) if room == i]
        if not taken:
            continue
        lines += [f"    o{i} = np.empty({len(part.room.outputs)})"]
        lines.append(f"    observe_{i}(t * {seconds / part.room.seconds!r}, {_state_call(part)}, o{i})")
        lines += [f"    out[{k}] = o{i}[{j}]" for k, j in taken]
    lines += ["def emit(t, y, p, x):", *(emits or ["    pass"])]
    lines += ["def start(p, u, y):", f"    v = np.empty({width_u})"]
    lines += [line for part in parts for line in _gather(part, inputs, open_imports, {})]
    for i, part in enumerate(parts):
        lines.append(
            f"    start_{i}({_cut('p', part.p, part.room.parameters)}, {_cut_u(part)}, "
            f"{_cut('y', part.y, part.room.states)})"
        )
    return "\n".join(lines) + "\n"


def _cut(array: str, begin: int, items: Sequence[Any]) -> str:
    return f"{array}[{begin}:{begin + len(items)}]"


def _cut_u(part: _Part) -> str:
    return f"v[{part.u}:{part.u + len(part.room.inputs) + len(part.room.imports)}]"


def _state_call(part: _Part) -> str:
    return f"{_cut('y', part.y, part.room.states)}, {_cut('p', part.p, part.room.parameters)}, {_cut_u(part)}"


def _gather(
    part: _Part,
    inputs: Sequence[str],
    open_imports: Sequence[str],
    exporters: Mapping[str, Sequence[tuple[int, Export]]],
) -> list[str]:
    """The lines that fill a room's u. Without exporters (at the start), imports have their defaults."""
    lines = []
    for j, given in enumerate(part.room.inputs):
        lines.append(f"    v[{part.u + j}] = u[{inputs.index(given.name)}]")
    base = part.u + len(part.room.inputs)
    for j, wanted in enumerate(part.room.imports):
        sources = [(at, one) for at, one in exporters.get(wanted.name, ()) if one not in part.room.exports]
        if sources:
            terms = [_converted(f"x[{at}]", one.unit, wanted.unit) for at, one in sources]
            value = (" * " if wanted.name.endswith(FACTOR) else " + ").join(terms)
        elif wanted.name in open_imports:
            value = f"u[{len(inputs) + open_imports.index(wanted.name)}]"
        else:
            value = repr(float(wanted.default))
        lines.append(f"    v[{base + j}] = {value}")
    return lines


def _converted(text: str, unit: str, wanted: str) -> str:
    factor, offset = conversion(unit, wanted)
    if factor != 1.0:
        text = f"{text} * {factor!r}"
    return f"({text} + {offset!r})" if offset else text


def _compiled(name: str, text: str, rooms: Sequence[Model]) -> dict[str, Any]:
    names: dict[str, Any] = {"np": np}
    for i, room in enumerate(rooms):
        names |= {f"rhs_{i}": room.rhs, f"observe_{i}": room.observe, f"start_{i}": room.start, f"emit_{i}": room.emit}
    exec(compile(text, f"<body {name}>", "exec"), names)  # noqa: S102 - our own text, made of numbers and positions
    return {kernel: numba.njit(error_model="numpy")(names[kernel]) for kernel in ("rhs", "observe", "emit", "start")}


# --- people ------------------------------------------------------------------


def _personalise(rooms: tuple[Model, ...]) -> Any:
    def personalise(values: dict[str, float], person: Person) -> dict[str, float]:
        made: dict[str, float] = {}
        for room in rooms:
            own = {one.name: values[f"{room.name}.{one.name}"] for one in room.parameters}
            made |= {f"{room.name}.{key}": value for key, value in room.personalise(own, person).items()}
        return made

    return personalise


def _domain(rooms: tuple[Model, ...]) -> Any:
    def domain(person: Person) -> str:
        reasons = [room.domain(person) for room in rooms if room.domain is not None]
        return next((reason for reason in reasons if reason), "")

    return domain
