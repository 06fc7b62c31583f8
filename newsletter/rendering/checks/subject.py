"""Rules about the two lines that an inbox shows: the subject and the preheader."""

import re
from collections.abc import Iterator

from newsletter.rendering.checks.rule import BLOCK, WARN, Fault, Rule
from newsletter.rendering.proof import Proof
from newsletter.rendering.wrapping import columns

SUBJECT, FRONT = 50, 33  # iPhone Mail shows about 48 characters of a subject, narrow phones 33
SHORT_PREHEADER, LONG_PREHEADER = 40, 100  # below it inboxes add the mail's first words; phones show about 99
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_WORD = re.compile(r"[^\W\d_]{2,}")


def _each(sheet: Proof) -> Iterator[tuple[str, str, str]]:
    """Yield each subject with its place, and as it was written."""
    written = (sheet.content.subject, *sheet.content.alternatives)
    for number, (said, source) in enumerate(zip(sheet.rendered.subjects, written, strict=True), start=1):
        yield ("subject" if number == 1 else f"subject {number}"), said, source


def _subject(sheet: Proof) -> Iterator[Fault]:
    for where, said, source in _each(sheet):
        if not said.strip():
            yield where, "the subject is empty"
        bad = next((text for text in (source, said) if _CONTROL.search(text)), None)
        if bad is not None:
            yield where, f"the subject holds a control character: {bad!r}"


def _long(sheet: Proof) -> Iterator[Fault]:
    for where, said, _ in _each(sheet):
        if columns(said) > SUBJECT:
            yield where, f"the subject has {_room(said)}, and phones show about {SUBJECT}"


def _front(sheet: Proof) -> Iterator[Fault]:
    name = sheet.settings.publication.name
    for where, said, _ in _each(sheet):
        if columns(said) > FRONT and said.lower().startswith(name.lower()):
            yield where, f"narrow phones show only {said[:FRONT]!r}"


def _loud(sheet: Proof) -> Iterator[Fault]:
    for where, said, _ in _each(sheet):
        words = [word for word in _WORD.findall(said) if len(word) > 3]
        loud = [word for word in words if word.isupper()]
        if len(loud) > 1 and len(loud) * 2 > len(words):
            yield where, f"{' '.join(loud)!r} is written in capitals"
        if re.search(r"[!?]{2}|[!?].*!", said):
            yield where, f"the subject cries: {said!r}"


def _preheader(sheet: Proof) -> Iterator[Fault]:
    preheader = sheet.rendered.preheader.strip()
    if not preheader:
        yield "preheader", "the preheader is empty"
    elif preheader.lower() in (said.strip().lower() for said in sheet.rendered.subjects):
        yield "preheader", "the preheader says what the subject says"


def _preheader_length(sheet: Proof) -> Iterator[Fault]:
    preheader = sheet.rendered.preheader.strip()
    length = columns(preheader)
    if 0 < length < SHORT_PREHEADER and preheader.lower() != sheet.rendered.subject.strip().lower():
        yield "preheader", f"the preheader has {_room(preheader)}, and inboxes fill the line up with other words"
    elif length > LONG_PREHEADER:
        yield "preheader", f"the preheader has {_room(preheader)}, and inboxes show about {LONG_PREHEADER}"


def _room(text: str) -> str:
    """Return how long a line is in words; characters of double width, as in Chinese, take the room of two."""
    wide = columns(text)
    return f"{len(text)} characters" if wide == len(text) else f"the room of {wide} characters"


RULES: tuple[Rule[Proof], ...] = (
    Rule("email.subject", BLOCK, _subject, "a subject that is empty, or holds a control character",
         "mail without a subject stays unread; a line break starts another header", "compose with --subject"),
    Rule("email.subject_long", WARN, _long, f"a subject of more than {SUBJECT} characters", "the end of it is cut off",
         "compose with a shorter --subject"),
    Rule("email.subject_front", WARN, _front,
         f"a subject of more than {FRONT} characters that begins with the publication's name",
         "the sender's name already stands beside it", "begin the subject with what is new"),
    Rule("email.subject_loud", WARN, _loud, "a subject in capitals, or with several exclamation marks",
         "spam filters count it, and readers too", "write it as a sentence"),
    Rule("email.preheader", WARN, _preheader, "a preheader that is empty, or the same as the subject",
         "inboxes then show whatever the mail begins with", "compose with --preheader"),
    Rule("email.preheader_length", WARN, _preheader_length,
         f"a preheader of fewer than {SHORT_PREHEADER} or more than {LONG_PREHEADER} characters",
         "it is half of what an inbox shows of the issue", "compose with another --preheader"),
)  # fmt: skip
