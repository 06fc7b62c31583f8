"""Making messages: everything that an issue's copies have in common is prepared once, then each reader's is joined."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from newsletter.delivery import message, results
from newsletter.delivery.dkim import Signer
from newsletter.delivery.message import Envelope, Masthead
from newsletter.delivery.reader import Reader
from newsletter.delivery.results import Change
from newsletter.errors import BadInput
from newsletter.rendering import compiled, tracked
from newsletter.rendering.compiled import Compiled
from newsletter.rendering.rendered import Rendered
from newsletter.settings import Settings
from subscribers.tokens import Keyring


@dataclass(frozen=True, kw_only=True)
class Bodies:
    """An issue's body with its links as they are, and with the links whose clicks are counted."""

    plain: Compiled
    tracked: Compiled

    def of(self, reader: Reader) -> Compiled:
        """Return the body that the reader's copy is made of."""
        return self.tracked if reader.tracked else self.plain


@dataclass(frozen=True, kw_only=True)
class Make:
    """Makes a reader's message, under the subject that is theirs; or says what to write into the ledger instead."""

    mastheads: tuple[Masthead, ...]
    bodies: Bodies
    #: what proves the signatures; None where the desk does not sign
    signer: Signer | None

    def __call__(self, reader: Reader) -> Envelope | Change:
        """Return the message, or the change of a reader who can get none."""
        return self._made(reader, message.assemble)

    def draft(self, reader: Reader) -> Envelope | Change:
        """Return the message with signatures that lack their proofs, or that change."""
        return self._made(reader, message.draft)

    def _made(self, reader: Reader, make: Callable[[Masthead, Compiled, Reader], Envelope]) -> Envelope | Change:
        if not self.bodies.plain.personal.concerns(reader.traits):
            return results.skipped(results.UNMATCHED, resent=reader.resent)
        try:
            head = self.mastheads[min(reader.variant, len(self.mastheads) - 1)]
            return make(head, self.bodies.of(reader), reader)
        except BadInput as error:
            return results.unwritable(error, resent=reader.resent)


def make(settings: Settings, issue_id: int, rendered: Rendered, *, date: datetime, keyring: Keyring) -> Make:
    """Return what makes the messages of an issue."""
    mastheads = tuple(
        message.masthead(settings, issue_id, subject=subject, date=date, keyring=keyring)
        for subject in rendered.subjects
    )
    return Make(mastheads=mastheads, bodies=bodies(issue_id, rendered), signer=mastheads[0].signer)


def bodies(issue_id: int, rendered: Rendered) -> Bodies:
    """Return what the copies of an issue are joined from."""
    plain, counted = (
        compiled.compile(each.html, each.text, boundary=f"issue-{issue_id}", personal=each.personal)
        for each in (rendered, tracked.of(rendered))
    )
    return Bodies(plain=plain, tracked=counted)
