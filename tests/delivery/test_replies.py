"""The reply table: whose fault a refusal is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery import replies
from newsletter.delivery.replies import Fault, Kind, Moment

MAIL, RCPT, TEXT = Moment.MAIL, Moment.RCPT, Moment.TEXT
SENT, DEFERRED, FAILED, REFUSES = Kind.SENT, Kind.DEFERRED, Kind.FAILED, Kind.RELAY_REFUSED


@pytest.mark.parametrize(
    ("moment", "reply", "kind", "fault"),
    [
        (TEXT, "250 2.0.0 Ok: queued as 4F2", SENT, None),
        (RCPT, "450 4.2.0 greylisted, come back", DEFERRED, Fault.TRANSIENT),
        (RCPT, "452 4.2.2 mailbox full", DEFERRED, Fault.MAILBOX_FULL),
        (RCPT, "421 4.3.2 shutting down", DEFERRED, Fault.TRANSIENT),
        (TEXT, "451 4.3.0 try later", DEFERRED, Fault.TRANSIENT),
        (RCPT, "450 5.1.1 no such user", DEFERRED, Fault.TRANSIENT),  # the basic code decides on trying again
        (RCPT, "550 5.1.1 <x@example.com>: Recipient address rejected: User unknown", FAILED, Fault.ADDRESS),
        (RCPT, "550 5.1.10 null MX", FAILED, Fault.ADDRESS),
        (RCPT, "556 domain takes no mail", FAILED, Fault.ADDRESS),
        (RCPT, "550 No such user here", FAILED, Fault.ADDRESS),
        (RCPT, "550 Mailbox does not exist", FAILED, Fault.ADDRESS),
        (RCPT, "550 5.0.0 unknown recipient", FAILED, Fault.ADDRESS),
        (TEXT, "550 5.1.1 no such user", FAILED, Fault.ADDRESS),
        (RCPT, "552 5.2.2 over quota", FAILED, Fault.MAILBOX_FULL),
        (RCPT, "552 exceeded storage allocation", FAILED, Fault.MAILBOX_FULL),
        (RCPT, "550 5.2.1 mailbox disabled", FAILED, Fault.MAILBOX),
        (RCPT, "550 Requested action not taken: mailbox unavailable", FAILED, Fault.REFUSED),
        (RCPT, "550 5.4.1 Recipient address rejected: Access denied", FAILED, Fault.REFUSED),
        (RCPT, "553 5.6.7 address needs SMTPUTF8", FAILED, Fault.UNSUPPORTED_ADDRESS),
        (RCPT, "550 5.7.1 blocked by policy", REFUSES, Fault.POLICY),
        (RCPT, "550 5.7.515 Access denied, sending domain does not meet the required level", REFUSES, Fault.POLICY),
        (RCPT, "554 5.7.1 <x@example.com>: Relay access denied", REFUSES, Fault.POLICY),
        (RCPT, "550 relay not permitted", REFUSES, Fault.POLICY),
        (RCPT, "550 5.1.8 <desk@x>: Sender address rejected: Domain not found", REFUSES, Fault.POLICY),
        (RCPT, "550 5.1.0 <desk@x>: Sender address rejected: User unknown in table", REFUSES, Fault.POLICY),
        (RCPT, "530 5.7.0 Must issue a STARTTLS command first", REFUSES, Fault.POLICY),
        (RCPT, "503 bad sequence", REFUSES, Fault.POLICY),
        (MAIL, "550 5.1.1 who are you", REFUSES, Fault.POLICY),
        (MAIL, "553 sender not allowed", REFUSES, Fault.POLICY),
        (MAIL, "452 4.3.1 no disk", REFUSES, Fault.TRANSIENT),
        (TEXT, "550 5.7.1 message looks like spam", REFUSES, Fault.POLICY),
        (TEXT, "554 rejected as spam", REFUSES, Fault.POLICY),
        (TEXT, "552 5.3.4 message too big", FAILED, Fault.CONTENT),
        (TEXT, "552 message size exceeds limit", FAILED, Fault.CONTENT),
        (TEXT, "554 5.6.0 malformed", FAILED, Fault.CONTENT),
        (TEXT, "554 transaction failed", FAILED, Fault.CONTENT),
    ],
)
def test_each_reply_has_its_meaning(moment: Moment, reply: str, kind: Kind, fault: Fault | None) -> None:
    code, _, text = reply.partition(" ")
    outcome = replies.read(moment, int(code), text)
    assert (outcome.kind, outcome.fault) == (kind, fault)
    assert outcome.reply == reply


@given(st.sampled_from(list(Moment)), st.integers(200, 599), st.text(max_size=60))
def test_any_reply_has_a_meaning_and_only_a_permanent_one_proves_an_address_dead(
    moment: Moment, code: int, text: str
) -> None:
    outcome = replies.read(moment, code, text)
    assert outcome.suppresses is False or (code >= 500 and not text.startswith("4."))
    assert outcome.kind is not Kind.FAILED or code >= 500
    assert outcome.kind is not Kind.SENT or (code < 300 and moment is TEXT)


def test_a_reply_whose_codes_disagree_proves_no_address_dead() -> None:
    assert replies.read(RCPT, 550, "5.1.1 unknown").suppresses
    assert not replies.read(RCPT, 550, "4.1.1 unknown").suppresses


@pytest.mark.parametrize("reply", ["5.7.1 blocked", "5.2.2 full", "5.3.4 too big", "mailbox unavailable"])
def test_faults_that_are_not_the_address_suppress_nobody(reply: str) -> None:
    assert not any(replies.read(moment, 550, reply).suppresses for moment in Moment)


def test_a_lost_connection_is_unknown_only_after_the_dot() -> None:
    assert replies.lost("reset", after_dot=True).kind is Kind.UNKNOWN
    assert replies.lost("reset", after_dot=False).kind is Kind.DEFERRED
