"""Polling a real server: what it sends is stored once, and what goes wrong is told and never loses an item."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Engine, text
from sqlmodel import select

from newsletter import audit, db, network
from newsletter.discovery import feeds, health, items
from newsletter.discovery.health import Health
from newsletter.discovery.models import Feed, FeedState, Identity, SourceItem
from newsletter.discovery.polling import Poller
from newsletter.discovery.verdicts import Polled
from newsletter.fetching import Client
from tests.discovery.publisher import Publisher, Reply, item, rss

HOUR = timedelta(hours=1)


@dataclass
class Newsroom:
    """A desk whose clock the test moves."""

    engine: Engine
    publisher: Publisher
    poller: Poller
    now: datetime

    def follow(self, path: str = "/feed", **more: int) -> int:
        with db.transaction(self.engine) as session:
            return feeds.add(session, self.publisher.url + path, now=self.now, **more).id  # type: ignore[arg-type]

    def poll(self, *only: int, after: timedelta = timedelta(0)) -> list[Polled]:
        self.now += after
        return self.poller.poll(only or None)

    def feed(self, feed_id: int = 1) -> Feed:
        with db.reading(self.engine) as session:
            found = session.get(Feed, feed_id)
            assert found is not None
            session.expunge(found)
            return found

    def items(self) -> list[SourceItem]:
        with db.reading(self.engine) as session:
            found = list(session.exec(select(SourceItem).order_by(SourceItem.id)))  # type: ignore[arg-type]
            session.expunge_all()
            return found

    def health(self) -> list[health.Report]:
        with db.reading(self.engine) as session:
            return health.all(session, now=self.now)


@pytest.fixture
def room(engine: Engine, publisher: Publisher, client: Client, now: datetime) -> Newsroom:
    made = Newsroom(engine, publisher, Poller(engine, client=client, pause=0.0), now)
    made.poller.clock = lambda: made.now
    publisher.replies["/feed"] = Reply(rss(item(1), item(2)))
    return made


def test_a_poll_stores_what_is_new_and_the_next_asks_with_what_the_server_said(room: Newsroom) -> None:
    said = {"ETag": 'W/"a b"', "Last-Modified": "Mon, 02 Nov 2026 08:00:00 GMT"}
    room.publisher.replies["/feed"] = Reply(rss(item(1), item(2)), headers=said, validate=True)
    room.follow()
    (first,) = room.poll()
    assert (first.name, len(first.new), first.fault) == ("The wire", 2, "")
    assert room.poll() == []  # nothing is due
    (second,) = room.poll(after=2 * HOUR)
    assert (second.status, second.new) == (304, ())
    headers = room.publisher.asked[1][1]
    assert (headers["if-none-match"], headers["if-modified-since"]) == (said["ETag"], said["Last-Modified"])
    assert len(room.items()) == 2


def test_a_304_renews_each_validator_by_itself(room: Newsroom) -> None:
    said = {"ETag": '"1"', "Last-Modified": "then"}
    room.publisher.replies["/feed"] = Reply(rss(item(1)), headers=said)
    room.follow()
    room.poll()
    room.publisher.replies["/feed"] = Reply(status=304, headers={"ETag": '"2"'})
    room.poll(1)
    assert (room.feed().etag, room.feed().last_modified) == ('"2"', "then")


def test_validators_stay_when_the_items_cannot_be_stored(room: Newsroom) -> None:
    said = {"ETag": '"1"'}
    room.publisher.replies["/feed"] = Reply(rss(item(1)), headers=said, validate=True)
    room.publisher.replies["/other"] = Reply(rss(item(7)))
    one, other = room.follow(), room.follow("/other")
    with room.engine.begin() as connection:  # a database that refuses one feed's items
        _refuse(connection)
    polled = {each.feed: each for each in room.poll()}
    assert "cannot be stored" in polled[one].fault
    assert len(polled[other].new) == 1
    assert (room.feed(one).etag, room.feed(one).failures) == ("", 1)
    with room.engine.begin() as connection:
        connection.execute(text("DROP INDEX refuse"))
        connection.execute(text("DELETE FROM source_item WHERE feed_id = 2"))
    (again,) = room.poll(one)
    assert len(again.new) == 1
    assert room.feed(one).etag == '"1"'


def _refuse(connection: object) -> None:
    connection.execute(  # type: ignore[attr-defined]
        text("CREATE UNIQUE INDEX refuse ON source_item (revision) WHERE title = 'Story 1' OR title = 'Seed'")
    )
    connection.execute(  # type: ignore[attr-defined]
        text(
            "INSERT INTO source_item (feed_id, identity, url, canonical, title, summary, published_as_given, "
            "upstream_name, upstream_url, found_at, revision, state, reason, handled_by, briefing_id) VALUES "
            "(2, 'seed', '', '', 'Seed', '', '', '', '', '2026-01-01 00:00:00', 1, 'new', '', '', '')"
        )
    )


def test_a_truncated_feed_gives_what_it_has_and_is_asked_whole_again(room: Newsroom) -> None:
    whole = rss(*(item(number) for number in range(10)))
    room.publisher.replies["/feed"] = Reply(whole[: len(whole) // 2], headers={"ETag": '"1"'})
    room.follow()
    (first,) = room.poll()
    assert 0 < len(first.new) < 10
    assert (room.feed().etag, room.feed().body_sha256) == ("", "")
    assert room.health()[0].health is Health.BROKEN
    room.publisher.replies["/feed"] = Reply(whole, headers={"ETag": '"1"'})
    (second,) = room.poll(1)
    assert len(first.new) + len(second.new) == 10
    assert room.feed().etag == '"1"'


def test_an_edited_entry_is_a_revision_and_no_new_item(room: Newsroom) -> None:
    room.follow()
    room.poll()
    room.publisher.replies["/feed"] = Reply(rss(item(1, title="Story 1, corrected"), item(2)))
    (polled,) = room.poll(1)
    assert (polled.new, polled.changed) == ((), 1)
    first = room.items()[0]
    assert (first.title, first.revision, first.changed_at) == ("Story 1, corrected", 2, room.now)
    with db.reading(room.engine) as session:
        assert [(each.number, each.title) for each in items.revisions(session, 1)] == [(1, "Story 1")]


def test_a_late_dated_entry_is_an_item(room: Newsroom) -> None:
    room.follow()
    room.poll()
    late = item(3, more="<pubDate>Mon, 01 Jan 2024 08:00:00 GMT</pubDate>")
    room.publisher.replies["/feed"] = Reply(rss(item(1), item(2), late))
    assert len(room.poll(1)[0].new) == 1


def test_a_feed_that_gives_all_its_entries_new_ids_brings_nothing_twice(room: Newsroom) -> None:
    room.follow()
    room.poll()
    room.publisher.replies["/feed"] = Reply(rss(item(1, guid="new-1"), item(2, guid="new-2"), item(3, guid="new-3")))
    assert len(room.poll(1)[0].new) == 1
    assert [each.identity for each in room.items()] == ["new-1", "new-2", "new-3"]


@pytest.mark.parametrize("guid", [None, "same"])
def test_a_feed_without_ids_is_known_by_its_links_from_then_on(room: Newsroom, guid: str | None) -> None:
    room.follow()
    room.poll()
    room.publisher.replies["/feed"] = Reply(rss(*(item(number, guid=guid) for number in (1, 2, 3))))
    assert len(room.poll(1)[0].new) == 1
    assert room.feed().identity is Identity.LINK
    changed = rss(*(item(number, guid=f"other-{number}", title="Other words") for number in (1, 2, 3, 4)))
    room.publisher.replies["/feed"] = Reply(changed)
    (polled,) = room.poll(1)
    assert (len(polled.new), polled.changed) == (1, 3)


def test_a_body_that_stays_the_same_is_not_read_and_is_asked_for_less_often(room: Newsroom) -> None:
    room.follow()
    room.poll()
    assert room.feed().due_at is not None
    for _ in range(3):
        room.poll(1, after=6 * HOUR)
    feed = room.feed()
    assert feed.unchanged == 3
    assert feed.due_at is not None
    assert feed.due_at - room.now >= 21 * HOUR


@pytest.mark.parametrize("wish", ["7200", "Mon, 02 Nov 2026 11:00:00 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_peace_gets_it(room: Newsroom, status: int, wish: str) -> None:
    room.publisher.replies["/feed"] = Reply(status=status, headers={"Retry-After": wish})
    room.follow()
    assert room.poll()[0].fault == f"it answers {status}"
    assert room.feed().due_at == room.now + 2 * HOUR


def test_a_feed_that_is_gone_is_asked_no_more_and_told(room: Newsroom) -> None:
    room.publisher.replies["/feed"] = Reply(status=410)
    room.follow()
    room.poll()
    assert room.poll(after=timedelta(days=30)) == []
    (report,) = room.health()
    assert (report.health, report.next) == (Health.GONE, "newsletter feeds remove 1")
    with db.reading(room.engine) as session:
        assert [each.action for each in audit.entries(session, "feed", room.feed().name)] == ["gone"]


def test_failures_slow_down_and_never_stop(room: Newsroom) -> None:
    room.publisher.replies["/feed"] = Reply(status=500)
    room.follow()
    seen = []
    for _ in range(9):
        room.poll(1)
        due = room.feed().due_at
        assert due is not None
        seen.append(round((due - room.now) / HOUR))
        room.now = due
    assert seen[0] == 1
    assert max(seen) <= 27
    assert room.health()[0].health is Health.DEGRADED
    room.poll(1, after=timedelta(days=14))
    report = room.health()[0]
    assert (report.health, report.why, report.failures) == (Health.DEAD, "it answers 500", 10)
    room.publisher.replies["/feed"] = Reply(rss(item(1)))
    assert len(room.poll(after=timedelta(hours=27))[0].new) == 1  # still probed
    assert room.health()[0].health is Health.FINE


def test_a_page_in_place_of_the_feed_is_a_failure(room: Newsroom) -> None:
    room.publisher.replies["/feed"] = Reply(b"<html><title>Log in</title></html>", headers={"ETag": '"x"'})
    room.follow()
    assert "no RSS or Atom feed" in room.poll()[0].fault
    assert room.feed().etag == ""


def test_a_permanent_redirect_is_adopted_late(room: Newsroom) -> None:
    room.publisher.replies["/old"] = Reply(status=301, headers={"Location": "/feed"})
    room.publisher.replies["/feed"] = Reply(rss(item(1)), headers={"ETag": '"1"'}, validate=True)
    room.follow("/old")
    for _ in range(3):
        assert room.feed().url.endswith("/old")
        room.poll(1, after=11 * HOUR)
    assert room.feed().url.endswith("/old")  # three times, but within 22 hours
    room.poll(1, after=3 * HOUR)
    assert (room.feed().url, room.feed().etag) == (f"{room.publisher.url}/feed", '"1"')
    assert len(room.items()) == 1
    with db.reading(room.engine) as session:
        assert audit.entries(session, "feed", "The wire")[-1].detail["old"].endswith("/old")


def test_a_permanent_redirect_to_another_host_waits_for_somebody(
    room: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"http://127.0.0.2:{room.publisher.server_port}/feed"
    room.publisher.replies["/old"] = Reply(status=308, headers={"Location": target})
    room.publisher.replies["/feed"] = Reply(rss(item(1)))
    room.follow("/old")
    # The server listens on one address only, so it is asked there under its second name too.
    monkeypatch.setattr(network, "look_up", lambda host, port, **more: ["127.0.0.1"])
    for _ in range(4):
        room.poll(1, after=12 * HOUR)
    assert room.feed().url.endswith("/old")
    assert room.health()[0].health is Health.MOVED
    assert room.health()[0].next.endswith(f"--url {target}")


def test_a_feed_that_falls_silent_raises_an_alarm(room: Newsroom) -> None:
    dated = [
        item(day, more=f"<pubDate>{datetime(2026, 10, day, 8, tzinfo=UTC):%a, %d %b %Y %H:%M:%S} GMT</pubDate>")
        for day in range(21, 32)
    ]
    room.publisher.replies["/feed"] = Reply(rss(*dated), headers={"ETag": '"1"'}, validate=True)
    room.follow()
    room.poll()
    assert (room.feed().gap, room.health()[0].health) == (86400, Health.FINE)
    room.poll(1, after=timedelta(days=2))
    report = room.health()[0]
    assert (report.health, report.since) == (Health.SILENT, datetime(2026, 10, 31, 8, tzinfo=UTC))
    room.publisher.replies["/feed"] = Reply(rss(*dated, item(99)))
    room.poll(1)
    assert room.health()[0].health is Health.FINE


def test_one_host_is_asked_one_thing_at_a_time_and_then_left_alone(room: Newsroom) -> None:
    room.poller.pause = 0.1
    for number in range(4):
        room.publisher.replies[f"/{number}"] = Reply(rss(item(number)))
        room.follow(f"/{number}")
    assert len(room.poll()) == 4
    moments = [moment for _, _, moment in room.publisher.asked]
    assert all(later - earlier >= 0.1 for earlier, later in pairwise(moments))
    assert room.publisher.most_at_once == 1


def test_hosts_are_asked_beside_each_other_and_progress_is_told(room: Newsroom) -> None:
    told: list[tuple[int, int | None]] = []
    room.poller.tell = lambda done, size: told.append((done, size))
    for number in range(12):
        with db.transaction(room.engine) as session:
            feeds.add(session, f"http://127.0.0.1:{room.publisher.server_port}/feed?{number}", now=room.now)
        room.publisher.replies[f"/feed?{number}"] = Reply(rss(item(number)))
    assert len(room.poll()) == 12
    assert told[-1] == (12, 12)


def test_a_feed_that_was_removed_while_it_was_asked_stays_removed(room: Newsroom) -> None:
    feed_id = room.follow()

    def meanwhile() -> Reply:
        with db.transaction(room.engine) as session:
            feeds.remove(session, feed_id, now=room.now)
        return Reply(rss(item(1)))

    room.publisher.replies["/feed"] = meanwhile
    assert room.poll()[0].new == ()
    assert (room.feed().state, room.items()) == (FeedState.REMOVED, [])
