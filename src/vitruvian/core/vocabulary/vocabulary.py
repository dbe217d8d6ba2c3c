"""Look concepts up by name, code, alias or index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from vitruvian.core.errors import VocabularyError
from vitruvian.core.vocabulary.concept import Concept
from vitruvian.core.vocabulary.systems import canonical_system


def fold(text: str) -> str:
    """Aliases are compared so: without case, blanks, underscores or hyphens."""
    return "".join(text.casefold().replace("_", " ").replace("-", " ").split())


class Vocabulary:
    """All concepts, in the order of their index. Immutable; lookups are those of a dict.

    `version` is the semantic version and a digest of the tables' content: it is kept with whatever used the vocabulary.
    """

    def __init__(self, concepts: Sequence[Concept], version: str) -> None:
        self.version = version
        self._concepts = tuple(concepts)
        self._names = {concept.name: concept for concept in self._concepts}
        self._codes = {(code.system, code.code): concept for concept in self._concepts for code in concept.codes}
        self._generic = {(code.system, code.code) for concept in self._concepts for code in concept.generic}
        self._aliases = {fold(text): concept for concept in self._concepts for text in names_of(concept)}

    def __getitem__(self, name: str) -> Concept:
        """The concept of that name. Raises VocabularyError where there is none."""
        try:
            return self._names[name]
        except KeyError:
            raise VocabularyError(
                f"found concept {name!r}, expected a name of the vocabulary ({self.version}); "
                "see docs/vocabulary.md, or add a row"
            ) from None

    def get(self, name: str) -> Concept | None:
        """The concept of that name, or None."""
        return self._names.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[Concept]:
        return iter(self._concepts)

    def __len__(self) -> int:
        return len(self._concepts)

    def by_index(self, index: int) -> Concept:
        """The concept of that index. Raises VocabularyError where there is none."""
        if not 0 <= index < len(self._concepts):
            raise VocabularyError(
                f"found concept index {index}, expected 0 to {len(self._concepts) - 1}; "
                "the data may come from a newer vocabulary"
            )
        return self._concepts[index]

    def by_code(self, system: str, code: str) -> Concept | None:
        """The concept that a code stands for, or None.

        The system may go by any of its names (`LN`, `loinc`, its OID).
        """
        found = self._codes.get((system, code))
        return found if found is not None else self._codes.get((canonical_system(system), code.strip()))

    def by_codings(self, codings: Iterable[tuple[str, str]]) -> Concept | None:
        """The most specific concept among the codings of one observation: a generic code yields to any other."""
        fallback: Concept | None = None
        for system, code in codings:
            found = self.by_code(system, code)
            if found is None:
                continue
            if (canonical_system(system), code.strip()) not in self._generic:
                return found
            fallback = fallback or found
        return fallback

    def by_alias(self, text: str) -> Concept | None:
        """The concept that a local name, label or display means, whatever its case and blanks; or None."""
        return self._aliases.get(fold(text))


def names_of(concept: Concept) -> tuple[str, ...]:
    """Every text by which a concept may be called, once each."""
    return tuple(
        {fold(text): text for text in (concept.name, concept.display, concept.short, *concept.aliases)}.values()
    )
