"""The exception tree. Every message says what was found, what was expected and what to do.

VitruvianError
|- ConfigurationError        a setting, a file or a command line that cannot work
|- VocabularyError           the table of concepts is inconsistent, or a concept is unknown
|- UnitError                 a unit that cannot be read, or cannot be converted
|- TimestampError            a time that cannot be read
|- LimitError                an input larger, deeper or longer than core.limits allows
|- ReadingError              a file or message that no reader can make sense of
|- IdentityError             identifiers that match more than one patient, or none
|- ModelError                a model that is missing, does not fit, or is outside its intended use
|- NotFoundError             no such patient, model, alert or record
`- JournalError              the log cannot do what was asked
   |- JournalCorrupt         a digest does not match: the log was changed outside Vitruvian
   |- JournalUnavailable     the disk is full, read-only or failing: nothing was committed
   `- Overloaded             the bounded queue is full; the source is asked to slow down
"""


class VitruvianError(Exception):
    """The root of every error that Vitruvian raises on purpose."""


class ConfigurationError(VitruvianError):
    """A setting, a file or a command line that cannot work."""


class VocabularyError(VitruvianError):
    """The table of concepts is inconsistent, or a concept is unknown."""


class UnitError(VitruvianError):
    """A unit that cannot be read, or cannot be converted to the one expected."""


class TimestampError(VitruvianError):
    """A time that cannot be read."""


class LimitError(VitruvianError):
    """An input larger, deeper or longer than `core.limits` allows."""


class ReadingError(VitruvianError):
    """A file or message that no reader can make sense of."""


class IdentityError(VitruvianError):
    """Identifiers that match more than one patient, or none."""


class ModelError(VitruvianError):
    """A model that is missing, does not fit, or is outside its intended use."""


class NotFoundError(VitruvianError):
    """No such patient, model, alert or record."""


class JournalError(VitruvianError):
    """The log cannot do what was asked."""


class JournalCorrupt(JournalError):
    """A digest does not match: the log was changed outside Vitruvian."""


class JournalUnavailable(JournalError):
    """The disk is full, read-only or failing: nothing was committed."""


class Overloaded(JournalError):
    """The bounded queue is full; the source is asked to slow down."""
