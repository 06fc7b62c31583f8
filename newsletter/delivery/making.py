"""Making messages: everything that an issue's copies have in common is prepared once, then each reader's is joined."""

from dataclasses import dataclass
from datetime import datetime

from newsletter.delivery import message, results
from newsletter.delivery.message import Envelope, Masthead
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.reader import Reader
from newsletter.delivery.replies import Fault
from newsletter.delivery.results import Change
from newsletter.errors import BadInput
from newsletter.rendering import compiled
from newsletter.rendering.compiled import Compiled
from newsletter.rendering.rendered import Rendered
from newsletter.settings import Settings
from subscribers.tokens import Keyring


@dataclass(frozen=True, kw_only=True)
class Make:
    """Makes a reader's message, under the subject that is theirs; or says what to write into the ledger instead."""

    mastheads: tuple[Masthead, ...]
    body: Compiled
    signs: bool

    def __call__(self, reader: Reader) -> Envelope | Change:
        """Return the message, or the change of a reader who can get none."""
        if not self.body.personal.concerns(reader.traits):
            return results.skipped(results.UNMATCHED, resent=reader.resent)
        try:
            return message.assemble(self.mastheads[min(reader.variant, len(self.mastheads) - 1)], self.body, reader)
        except BadInput as error:
            return Change(DeliveryState.FAILED, Fault.ADDRESS, str(error), tried=True)


def make(settings: Settings, issue_id: int, rendered: Rendered, *, date: datetime, keyring: Keyring) -> Make:
    """Return what makes the messages of an issue."""
    mastheads = tuple(
        message.masthead(settings, issue_id, subject=subject, date=date, keyring=keyring)
        for subject in rendered.subjects
    )
    body = compiled.compile(rendered.html, rendered.text, boundary=f"issue-{issue_id}", personal=rendered.personal)
    return Make(mastheads=mastheads, body=body, signs=mastheads[0].signer is not None)
