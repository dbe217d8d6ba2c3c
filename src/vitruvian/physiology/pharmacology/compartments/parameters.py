"""What linear drugs declare, and the one function that makes a model of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from vitruvian.physiology.base import Dose, Import, Input, Model, Output, Parameter, State
from vitruvian.physiology.person import Person
from vitruvian.physiology.pharmacology.compartments import equations

__all__ = ["ROWLAND_MATIN", "linear_drug", "scaled"]

ROWLAND_MATIN: Final = (
    "Rowland M, Matin SB. Kinetics of drug-drug interactions. J Pharmacokinet Biopharm 1 (1973) 553-567"
)
TURNOVER_SOURCE: Final = "Yang J et al., Curr Drug Metab 9 (2008) 384: turnover half-lives of cytochromes in vivo"
_KERNELS: Final = (equations.rhs_1, equations.rhs_2, equations.rhs_3)
_TISSUES: Final = ("peripheral", "deep")


def scaled(
    values: dict[str, float], person: Person, *, reference_kg: float = 70.0, volumes: Sequence[str] = ()
) -> dict[str, float]:
    """Clearances by weight to the power 3/4 and volumes by weight (Holford 1996 Clin Pharmacokinet 30:329), from values
    that hold at `reference_kg`.
    """
    size = person.weight_kg / reference_kg
    for name in values:
        if name.startswith(("clearance", "flow_")):
            values[name] *= size**0.75
        elif name.startswith("volume") or name in volumes:
            values[name] *= size
    return values


def linear_drug(
    name: str,
    title: str,
    *,
    parameters: Sequence[Parameter],
    level: Output,
    rate_max: float,
    dose_max: float,
    personalise: Callable[[dict[str, float], Person], dict[str, float]],
    limits: str,
    sources: tuple[str, ...],
    enzyme: str = "enzyme",
    drug: str = "",
    domain: Callable[[Person], str] | None = None,
    rtol: float = 1e-9,
) -> Model:
    """A drug of one, two or three compartments (as many as `parameters` has volumes), time in hours.

    `parameters` are those of `equations`, in its order: clearance, renal_share, enzyme_share, absorption_rate,
    enzyme_turnover, volume, bioavailability, then flow_2, volume_2, flow_3, volume_3. `drug` is what inputs and doses
    are called (by default `name`): the input is an infusion into a vein, the dose `drug` is swallowed, `drug_iv` goes
    into a vein. `enzyme` names the inputs that slow or induce it: `<enzyme>_inhibition` is the inhibitor's
    concentration over its Ki, `<enzyme>_induction` the enzyme added in the steady state, as a share of what was there.
    """
    extra = (len(parameters) - equations.BIOAVAILABILITY - 1) // 2
    drug = drug or name
    states = (
        State("gut", "mg", 0.0, "swallowed, not yet absorbed", tolerance=1e-16),
        State("central", "mg", 0.0, "in the central compartment", tolerance=1e-16),
        State("enzyme", "1", 1.0, "amount of enzyme, of the usual", tolerance=1e-9),
        *(State(one, "mg", 0.0, f"in the {one} compartment", tolerance=1e-16) for one in _TISSUES[:extra]),
    )
    return Model(
        name=name,
        title=title,
        time_unit="h",
        states=states,
        parameters=tuple(parameters),
        inputs=(
            Input(drug, "mg/h", 0.0, 0.0, rate_max, "infusion into a vein"),
            Input(f"{enzyme}_inhibition", "1", 0.0, 0.0, 1e4, "inhibitor's concentration over its Ki"),
            Input(f"{enzyme}_induction", "1", 0.0, 0.0, 50.0, "enzyme added in the steady state, of the usual"),
        ),
        imports=(
            Import("renal_function_factor", "1", 1.0, "function of the kidney, of the person's own"),
            Import("hepatic_function_factor", "1", 1.0, "function of the liver, of the person's own"),
        ),
        doses=(
            Dose(drug, "mg", "gut", high=dose_max, about="swallowed", factor_by="bioavailability"),
            Dose(f"{drug}_iv", "mg", "central", high=dose_max, about="into a vein", concept=drug),
        ),
        outputs=(
            level,
            Output("clearance_now", "L/h", "clearance under inhibition, induction and organ function"),
            Output("enzyme_amount", "1", "enzyme, of the usual amount"),
        ),
        rhs=_KERNELS[extra],
        observe=equations.observe,
        start=equations.start,
        personalise=personalise,
        domain=domain,
        rtol=rtol,
        first_step=1e-3,
        h_max=24.0,
        grid_s=300.0,
        limits=limits,
        sources=(*sources, ROWLAND_MATIN),
    )
