"""Gathering the evidence: the sources' words, what was sent before, and what changed since the approval."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from newsletter.audit import AuditEntry
from newsletter.editorial import body, claims, format, links, overlap, rechecks, related, sources, standings, tokens
from newsletter.editorial.comparisons import SAME_STORY
from newsletter.editorial.document import Document
from newsletter.editorial.evidence import Drift, Evidence, Sent
from newsletter.editorial.models import Briefing, BriefingState, GateReport, Revision
from newsletter.editorial.rechecks import Change
from newsletter.editorial.sources import Held
from newsletter.editorial.standings import Standing
from newsletter.editorial.tokens import Passage

#: For how long a briefing counts as sent lately.
LATELY = timedelta(days=180)
#: How many briefings, those that share the most words with a text, are weighed against it.
_WEIGHED = 24
#: By briefing, when readers got it, and the text that they got.
Lately = Mapping[str, tuple[datetime, str]]
_CORRECTED = re.compile(r"\b(?:correct(?:ion|ed)|retract(?:ion|ed)|withdrawn)\b", re.IGNORECASE)


def gather(session: Session, here: Standing, *, now: datetime) -> Evidence:
    """Return what a briefing's text can be held against, as far as the desk has it."""
    held, passages = sources.held(session, here.document), read(here)
    known = any(source.words for source in held)
    return Evidence(
        now=now,
        sources=held,
        overlap=overlap.compare(passages, held) if held else None,
        unsupported=claims.unsupported(here.document, passages, held) if known else None,
        sent=tuple(resembling(here.document, _lately(session, here, now))),
        drift=tuple(_drift(session, here, held)),
    )


def changes(session: Session, here: Standing, *, now: datetime) -> Evidence:
    """Return only what may have changed since a text was approved."""
    held = sources.held(session, here.document)
    return Evidence(now=now, sources=held, drift=tuple(_drift(session, here, held)))


def read(here: Standing) -> list[Passage]:
    """Return the parts of a briefing, read for comparison."""
    return [tokens.passage(where, words) for where, words in body.parts(here.document).items()]


def _drift(session: Session, here: Standing, held: Sequence[Held]) -> Iterator[Drift]:
    """Yield the sources whose words are not those of the report at the approval, or whose pages are not as they were.

    What a look at the page found counts for more than what a feed says of it.
    """
    approval = standings.newest_approval(session, here.id)
    report = session.get(GateReport, approval.report) if approval and approval.report else None
    if approval is None or report is None or approval.sha256 != here.sha256:
        return
    told: dict[int, Drift] = {}
    then = {source["url"]: source["sha256"] for source in report.sources}
    for source in held:
        before = then.get(source.url, "")
        if before and source.sha256 and before != source.sha256:
            corrected = bool(_CORRECTED.search(source.title))
            told[source.number] = Drift(source=source.number, name=source.name, corrected=corrected)
    for each in rechecks.found(session, here):
        kinds = {"corrected": each.change is Change.CORRECTED, "gone": each.change is Change.GONE,
                 "unseen": each.change is Change.UNSEEN}  # fmt: skip
        if each.change is Change.CHANGED or any(kinds.values()):
            told[each.source] = Drift(source=each.source, name=each.name, told=each.told, **kinds)
    yield from (told[number] for number in sorted(told))


def resembling(document: Document, lately: Lately) -> Iterator[Sent]:
    """Yield what was sent lately that shares a source's address with a text, or much of its words."""
    own = {links.canonical(source.url) for source in document.sources if source.url}
    for id, (at, text) in lately.items():
        if any(url.partition("://")[2].rstrip("/") in text for url in own):
            cited = {links.canonical(source.url) for source in standings.parsed(text, id).sources}
            yield from (Sent(briefing=id, at=at, url=url) for url in sorted(own & cited))
    words = set(_words(format.dump(document)))
    near = sorted(lately, key=lambda id: -len(words.intersection(_words(lately[id][1]))))[:_WEIGHED]
    for id in near:
        ((_, _, cosine),) = related.pairs([document, standings.parsed(lately[id][1], id)])
        if cosine >= SAME_STORY:
            yield Sent(briefing=id, at=lately[id][0], cosine=cosine)


def _lately(session: Session, here: Standing, now: datetime) -> Lately:
    """Return when each briefing that readers have was sent lately, and its text."""
    sent = select(AuditEntry.name, AuditEntry.at).where(
        AuditEntry.kind == "briefing", AuditEntry.action == "sent", AuditEntry.at > now - LATELY
    )
    moments = dict(session.exec(sent.order_by(col(AuditEntry.id))).all())
    readers_have = (BriefingState.SENT, BriefingState.CORRECTED)
    newest = (col(Revision.briefing_id) == Briefing.id) & (col(Revision.number) == Briefing.revision)
    query = select(Briefing.id, Revision.text).join(Revision, newest).where(col(Briefing.state).in_(readers_have))
    return {id: (moments[id], text) for id, text in session.exec(query) if id in moments and id != here.id}


def _words(text: str) -> list[str]:
    return text.casefold().split()
