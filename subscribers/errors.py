"""What can go wrong in the audience.

AudienceError              exit 1
├── NotFound               exit 3; no such list, segment, topic or subscriber
├── Refused                the thing exists, and its state forbids the step
├── BadValue               a name, a country or a key is not what it must be
│   └── BadAddress         the text is no address that mail can be sent to
├── BadCondition           a segment's condition does not parse; `column` points into it
└── BadRow                 a file to import cannot be read as one
"""


class AudienceError(Exception):
    """The root of the tree: `exit_code` is what a command line ends with."""

    exit_code = 1


class NotFound(AudienceError):
    """The named thing does not exist."""

    exit_code = 3


class Refused(AudienceError):
    """The step is not allowed now."""


class BadValue(AudienceError):
    """A field does not hold what it must: `value` is what it held, `reason` what is wrong with it."""

    def __init__(self, value: str, reason: str) -> None:
        super().__init__(f"{value[:100]!r}: {reason}")
        self.value = value
        self.reason = reason


class BadAddress(BadValue):
    """The text is no address that mail can be sent to."""


class BadCondition(AudienceError):
    """A segment's condition cannot be understood."""

    def __init__(self, message: str, *, column: int = 0) -> None:
        super().__init__(message)
        self.column = column


class BadRow(AudienceError):
    """A file to import cannot be read as rows of subscribers."""
