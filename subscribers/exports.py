"""Exports: all that is known of subscribers, as a file that imports to the same again."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select, true
from sqlmodel import Session

from subscribers import attributes, bulk, formulas, lists, reading, segments, upsert
from subscribers.attributes import Value
from subscribers.models import MailingList, Subscriber, SubscriberTopic, Subscription, Suppression, Topic
from subscribers.sources import Format

_PERSON, _STANDING = upsert.table(Subscriber), upsert.table(Subscription)
_LIST, _TOPIC = upsert.table(MailingList), upsert.table(Topic)
_CHOICE, _BARRED = upsert.table(SubscriberTopic), upsert.table(Suppression)
#: People read at a time.
PAGE = 2000
_PLAIN = ("email", "name", "language", "country", "audience", "frequency")
_COLUMNS = (*_PLAIN, "topics", "lists", "suppressed", "joined")


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Whose data is asked for, as a condition over Subscriber, and how many there are."""

    where: ColumnElement[bool]
    subscribers: int


def choose(session: Session, *, list: str = "", segment: str = "", now: datetime) -> Chosen:
    """Return the subscribers who were ever on a list and match a segment; raise NotFound for an unknown name."""
    where: ColumnElement[bool] = true()
    if list:
        on = _STANDING.c.list_id == lists.ids_of(session, [list])[0]
        where &= exists().where(_STANDING.c.subscriber_id == _PERSON.c.id, on)
    if segment:
        where &= segments.where(session, segment, now)
    count = session.scalar(select(func.count()).select_from(_PERSON).where(where)) or 0
    return Chosen(where=where, subscribers=count)


def lines(session: Session, chosen: Chosen, *, format: Format = Format.CSV) -> Iterator[str]:
    """Yield the file piece by piece, the people by address; spreadsheets take no cell of the CSV for a formula."""
    declared = sorted(attributes.types(session))
    if format is Format.CSV:
        yield _csv([[*_COLUMNS, *declared]])
    for page in _pages(session, chosen):
        if format is Format.CSV:
            yield _csv([_cells(person, declared) for person in page])
        else:
            yield "".join(json.dumps(person, ensure_ascii=False) + "\n" for person in page)


def _pages(session: Session, chosen: Chosen) -> Iterator[Sequence[dict[str, Any]]]:
    after = ""
    query = select(_PERSON).where(chosen.where).order_by(_PERSON.c.email_key).limit(PAGE)
    while rows := session.execute(query.where(_PERSON.c.email_key > after)).all():
        after = rows[-1].email_key
        numbers = [row.id for row in rows]
        topics, stands = _topics(session, numbers), _stands(session, numbers)
        barred = _barred(session, [row.email_key for row in rows])
        yield [
            {
                **{name: getattr(row, name) for name in _PLAIN}, "topics": topics[row.id], "lists": stands[row.id],
                "suppressed": barred[row.email_key], "joined": row.joined_at.isoformat(), "attributes": row.attributes,
            }
            for row in rows
        ]  # fmt: skip


def _topics(session: Session, numbers: Sequence[int]) -> Mapping[int, Sequence[str]]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    query = select(_CHOICE.c.subscriber_id, _TOPIC.c.name).join_from(_CHOICE, _TOPIC)
    for number, name in session.execute(query.where(bulk.among(session, _CHOICE.c.subscriber_id, numbers))):
        found[number].append(name)
    for names in found.values():
        names.sort()
    return found


def _stands(session: Session, numbers: Sequence[int]) -> Mapping[int, Mapping[str, str]]:
    found: defaultdict[int, dict[str, str]] = defaultdict(dict)
    query = select(_STANDING.c.subscriber_id, _LIST.c.name, _STANDING.c.state).join_from(_STANDING, _LIST)
    where = bulk.among(session, _STANDING.c.subscriber_id, numbers)
    for number, name, state in session.execute(query.where(where).order_by(_LIST.c.name)):
        found[number][name] = state.value
    return found


def _barred(session: Session, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    query = select(_BARRED.c.email_key, _LIST.c.name, _BARRED.c.reason).select_from(_BARRED.outerjoin(_LIST))
    where = _BARRED.c.lifted_at.is_(None) & bulk.among(session, _BARRED.c.email_key, keys)
    for key, name, reason in session.execute(query.where(where)):
        found[key].append(f"{name}={reason.value}" if name else reason.value)
    for reasons in found.values():
        reasons.sort()
    return found


def _cells(person: Mapping[str, Any], declared: Sequence[str]) -> list[str]:
    """Return a person as the cells of a row."""
    known: Mapping[str, Value] = person["attributes"]
    stands = ";".join(f"{name}={state}" for name, state in person["lists"].items())
    return [
        *(person[name] for name in _PLAIN), _joined(person["topics"]), stands, ";".join(person["suppressed"]),
        person["joined"], *(reading.written(known[name]) if name in known else "" for name in declared),
    ]  # fmt: skip


def _joined(topics: Sequence[str]) -> str:
    text = ";".join(topics)
    plain = text.count(";") == max(len(topics) - 1, 0) and not set(text) & set('"[{')
    return text if plain else json.dumps(topics, ensure_ascii=False)


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([formulas.guarded(cell) for cell in row] for row in rows)
    return text.getvalue()
