"""What can go wrong, and what each kind means to the person at the keyboard.

NewsletterError            exit 1; the message names the thing, the reason and the next step
├── UsageError             exit 2; the command line itself is wrong
├── NotFound               exit 3; the named thing does not exist
├── PartlySent             exit 4; some readers have the issue, some do not yet
├── Refused                the thing exists, and its state or a rule forbids the step
│   └── Blocked            a check found something that blocks; carries the findings
├── BadInput               a file, line or row does not read as what it should be
├── SettingsError          newsletter.toml or an environment variable is missing or wrong
├── DatabaseError          the database cannot be opened, or is of another version
├── TemplateError          a template does not render; names the file and the line
└── RelayError             the relay cannot be used; `temporary` says whether waiting helps
"""

from collections.abc import Sequence


class NewsletterError(Exception):
    """The root of the tree: `exit_code` is what the command line ends with."""

    exit_code = 1


class UsageError(NewsletterError):
    """The command line does not say what to do."""

    exit_code = 2


class NotFound(NewsletterError):
    """The named thing does not exist."""

    exit_code = 3


class PartlySent(NewsletterError):
    """The run ended in good order, and some readers still wait for their copy."""

    exit_code = 4


class Refused(NewsletterError):
    """The step is not allowed now."""


class Blocked(Refused):
    """A check blocks; `findings` are the blocking ones, each already readable by `str`."""

    def __init__(self, message: str, findings: Sequence[object] = ()) -> None:
        super().__init__(message)
        self.findings = tuple(findings)

    def __str__(self) -> str:
        """Return the message with one finding a line under it."""
        return "\n".join([str(self.args[0]), *(f"  {finding}" for finding in self.findings)])


class BadInput(NewsletterError):
    """A file, a line or a row cannot be read; nothing of it was taken."""


class SettingsError(NewsletterError):
    """A setting is missing or wrong."""


class DatabaseError(NewsletterError):
    """The database cannot be used as it stands."""


class TemplateError(NewsletterError):
    """A template cannot be rendered."""


class RelayError(NewsletterError):
    """The relay refuses for reasons of its own; no reader is at fault."""

    def __init__(self, message: str, *, temporary: bool = False) -> None:
        super().__init__(message)
        self.temporary = temporary
