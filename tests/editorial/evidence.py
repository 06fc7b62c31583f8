"""What a feed brought of the pages that the test briefing cites."""

from datetime import timedelta

from sqlmodel import Session, select

from newsletter.discovery.models import Feed, SourceItem
from tests.conftest import NOW
from tests.editorial.conftest import GOOD

FIRST, SECOND = GOOD.sources
#: A source's text in other words than the briefing's, long enough to be no teaser.
PLAIN = "Chipmakers ask their customers for long commitments, and customers hesitate. " * 20


def bring(session: Session, summary: str, *, url: str = FIRST.url, title: str = "As the wire had it") -> SourceItem:
    """Store what a feed brought of the briefing's first source, or of another address."""
    feed = session.exec(select(Feed)).first() or Feed(url="https://wire.example.org/feed", name="Wire", added_at=NOW)
    session.add(feed)
    session.flush()
    assert feed.id is not None
    item = SourceItem(
        feed_id=feed.id, identity=f"{url} {len(summary)}", url=url, canonical=url, title=title, summary=summary,
        found_at=NOW - timedelta(hours=1),
    )  # fmt: skip
    session.add(item)
    session.flush()
    return item
