"""Finding a patient among all that the journal knows, on the ward or long gone; pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from vitruvian.core.errors import NotFoundError
from vitruvian.core.events import Person
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.core.time import from_us
from vitruvian.service.build import name_of
from vitruvian.service.views import PatientBrief, PatientPage

FOUND_MAX: Final = 1_000  # of one answer; `after` continues


class Known(NamedTuple):
    """What is needed to find one patient. `newest_us`: of the newest measurement, 0 where there is none."""

    id: str
    person: Person | None
    identifiers: tuple[Identifier, ...]
    location: Location | None
    newest_us: int
    on_ward: bool


def find(
    everyone: Iterable[Known],
    *,
    text: str = "",
    identifier: str = "",
    ward_only: bool = False,
    limit: int = 100,
    after: str = "",
) -> PatientPage:
    """Those who match, by name, then id; at most `limit` of them, from behind the id `after`.

    `text` is looked for, without regard to case, in ids, identifier values and names (each of its words in either
    name); `identifier` (`SYSTEM|VALUE`) must be one of the patient's own. Raises NotFoundError where
    `after` is nobody of the list.
    """  # fmt: skip
    key = identifier.strip()
    words = text.casefold().split()
    found = [
        one
        for one in everyone
        if (one.on_ward or not ward_only)
        and (not key or any(own.key == key for own in one.identifiers))
        and (not words or _matches(one, text.casefold().strip(), words))
    ]
    found.sort(key=_order)
    start = 0
    if after:
        start = next((at + 1 for at, one in enumerate(found) if one.id == after), -1)
        if start < 0:
            raise NotFoundError(f"found no patient {after[:64]!r} in this list to continue after; begin again")
    shown = found[start : start + min(limit, FOUND_MAX)]
    more = start + len(shown) < len(found)
    return PatientPage([_brief(one) for one in shown], len(found), shown[-1].id if shown and more else "")


def _matches(one: Known, whole: str, words: list[str]) -> bool:
    if whole in one.id.casefold() or any(whole in own.value.casefold() for own in one.identifiers):
        return True
    names = f"{one.person.family} {one.person.given}".casefold() if one.person else ""
    return bool(names.strip()) and all(word.strip(",") in names for word in words)


def _order(one: Known) -> tuple[bool, str, str, str]:
    family, given = (one.person.family, one.person.given) if one.person else ("", "")
    return not (family or given), family.casefold(), given.casefold(), one.id


def _brief(one: Known) -> PatientBrief:
    born = one.person.birth_us if one.person else None
    return PatientBrief(
        id=one.id,
        name=name_of(one.person, one.id),
        birth=from_us(born).date().isoformat() if born is not None else "",
        sex=one.person.sex if one.person else "",
        identifiers=[own.key for own in one.identifiers],
        location=one.location.label if one.location else "",
        newest_us=one.newest_us or None,
        on_ward=one.on_ward,
    )
