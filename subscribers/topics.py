"""Topics: the words that briefings carry and subscribers choose."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlmodel import Session

from subscribers import segments, upsert, words
from subscribers.errors import BadValue, Refused
from subscribers.models import Subscriber, SubscriberTopic, Topic

_TOPIC = upsert.table(Topic)
_CHOICE = upsert.table(SubscriberTopic)
_PERSON = upsert.table(Subscriber)


@dataclass(frozen=True, kw_only=True)
class TopicView:
    """A topic, and how many subscribers chose it."""

    name: str
    title: str
    subscribers: int


def word(text: str) -> str:
    """Return the topic's name as it is kept: one line, in lower case."""
    name = words.line("a topic", text, 80).lower()
    if not name:
        raise BadValue(text, "a topic needs a name")
    return name


def add(session: Session, name: str, *, title: str = "") -> TopicView:
    """Make a topic before anybody chose it; its title is what pages show."""
    row = {"name": word(name), "title": words.line("a title", title, 200)}
    made = session.execute(upsert.into(session, Topic).on_conflict_do_nothing().returning(_TOPIC.c.id), row)
    if made.first() is None:
        raise Refused(f"the topic {row['name']} exists already; to call it otherwise: newsletter topics edit")
    return get(session, name)


def edit(session: Session, name: str, *, title: str) -> TopicView:
    """Give a topic another title; its name stays, for briefings and segments carry it."""
    found = get(session, name)
    session.execute(update(_TOPIC).where(_TOPIC.c.name == found.name).values(title=words.line("a title", title, 200)))
    return get(session, name)


def remove(session: Session, name: str) -> int:
    """Delete a topic with everybody's choice of it; return how many had chosen it."""
    found = get(session, name)
    segments.require_unnamed(session, "topics", found.name)
    session.execute(delete(_TOPIC).where(_TOPIC.c.name == found.name))
    return found.subscribers


def get(session: Session, name: str) -> TopicView:
    """Return the topic; raise NotFound, with the names that are near, when there is none."""
    found = next((topic for topic in all(session) if topic.name == word(name)), None)
    if found is None:
        raise words.missing("topic", name, [topic.name for topic in all(session)])
    return found


def ensure(session: Session, names: Iterable[str]) -> dict[str, int]:
    """Return the number of each named topic, making those that are not there yet."""
    wanted = sorted({word(name) for name in names})
    statement = upsert.into(session, Topic).on_conflict_do_nothing()
    upsert.many(session, statement, [{"name": name, "title": ""} for name in wanted])
    return _ids(session, wanted)


def all(session: Session) -> list[TopicView]:
    """Return every topic, by name."""
    tally = select(_CHOICE.c.topic_id, func.count().label("people")).group_by(_CHOICE.c.topic_id).subquery()
    joined = _TOPIC.outerjoin(tally, tally.c.topic_id == _TOPIC.c.id)
    query = select(_TOPIC.c.name, _TOPIC.c.title, func.coalesce(tally.c.people, 0)).select_from(joined)
    return [
        TopicView(name=name, title=title or name, subscribers=count)
        for name, title, count in session.execute(query.order_by(_TOPIC.c.name))
    ]


def of(session: Session, subscriber_id: int) -> list[str]:
    """Return the names of the topics that a subscriber chose, in order."""
    query = select(_TOPIC.c.name).join(_CHOICE).where(_CHOICE.c.subscriber_id == subscriber_id)
    return [name for (name,) in session.execute(query.order_by(_TOPIC.c.name))]


def choose(session: Session, subscriber_id: int, names: Iterable[str]) -> bool:
    """Make these topics, all of which must exist, the subscriber's whole choice; False when there is no such person."""
    # A double click sends a form twice: on PostgreSQL the two would replace the same rows side by side, and one fail.
    person = select(_PERSON.c.id).where(_PERSON.c.id == subscriber_id).with_for_update(key_share=True)
    if session.execute(person).first() is None:
        return False
    wanted = {word(name) for name in names}
    known = _ids(session, wanted)
    for name in wanted - known.keys():
        raise words.missing("topic", name, [topic.name for topic in all(session)])
    session.execute(delete(_CHOICE).where(_CHOICE.c.subscriber_id == subscriber_id))
    rows = [{"subscriber_id": subscriber_id, "topic_id": number} for number in known.values()]
    upsert.many(session, insert(_CHOICE), rows)
    return True


def _ids(session: Session, names: Iterable[str]) -> dict[str, int]:
    query = select(_TOPIC.c.name, _TOPIC.c.id).where(_TOPIC.c.name.in_(list(names)))
    return dict(session.execute(query).all())
