"""The demo's samples: texts of our own that pass the gate on any day, and a feed that leads to each."""

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.demo import samples
from newsletter.editorial import format, gate
from newsletter.editorial.document import Document
from newsletter.editorial.related import Corpus

DAYS = [datetime(2026, 11, 2, 9, tzinfo=UTC), datetime(2031, 2, 28, 23, 59, 58, 7, tzinfo=UTC)]


def read(now: datetime) -> list[Document]:
    return [format.parse(text, where=name) for name, text in samples.briefings(now)]


@pytest.mark.parametrize("now", DAYS)
def test_no_rule_has_anything_to_say_against_them(now: datetime) -> None:
    documents = read(now)
    assert len(documents) == 8
    assert [finding for document in documents for finding in gate.check(document, now=now)] == []
    assert [
        finding for document in documents for finding in gate.check(document, now=now, stage=gate.Stage.ISSUE)
    ] == []


@pytest.mark.parametrize("now", DAYS)
def test_the_newest_source_was_read_a_few_hours_before_the_demo(now: datetime) -> None:
    retrieved = [source.retrieved for document in read(now) for source in document.sources if source.retrieved]
    assert timedelta(0) <= now - samples.AGE - max(retrieved) < timedelta(minutes=1)


def test_files_are_called_by_their_id_and_written_as_dump_writes_them() -> None:
    for name, text in samples.briefings(DAYS[0]):
        document = format.parse(text, where=name)
        assert name == f"{document.id}.md"
        assert format.dump(document) == text


def test_two_people_wrote_four_each() -> None:
    authors = [document.author for document in read(DAYS[0])]
    assert (authors.count("mara"), authors.count("jonas")) == (4, 4)


def test_each_began_from_an_item_of_the_feed() -> None:
    feed = samples.feed(DAYS[1]).decode()
    assert feed.count("<entry>") == 8
    for document in read(DAYS[1]):
        source = document.sources[0]
        assert f'<link href="{source.url}"/>' in feed
        assert source.published is not None
        assert f"<published>{source.published.isoformat()}</published>" in feed


def test_some_of_them_are_related() -> None:
    documents = read(DAYS[0])
    corpus = Corpus((document.id, document) for document in documents)
    found = {document.id: corpus.nearest(document.id) for document in documents}
    assert sum(1 for near in found.values() if near) >= 5
    assert any(not near for near in found.values())
