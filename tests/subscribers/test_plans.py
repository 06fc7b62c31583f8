"""How the databases find whom a condition matches: by an index, wherever one can serve."""

import re
from datetime import datetime

import pytest
from sqlalchemy import Engine, Executable
from sqlmodel import Session

from bench import crowd
from newsletter import db
from subscribers import segments

SIZE = 6000
OF_TOPICS, OF_LISTS = "ix_subscriber_topic_topic_id_subscriber_id", "ix_subscription_list_id_state_subscriber_id"
OF_ISSUE, OF_COUNTRY = "ix_event_kind_issue_id_subscriber_id", "ix_subscriber_country"
# The crowd follows so few links that PostgreSQL reads all of them sooner than an index.
OF_CLICKS = "ix_click_issue_id_by_subscriber_id|Seq Scan on click"
OF_EVENTS = "ix_event_subscriber_id_kind|ix_event_kind_at_subscriber_id"
OF_ADDRESS = "uq_subscriber_email_key|sqlite_autoindex_subscriber_1"
OF_DELIVERIES = "ix_delivery_issue_id_state|ix_delivery_subscriber_id|sqlite_autoindex_delivery_1"
OF_NUMBER = "pk_subscriber|INTEGER PRIMARY KEY|ix_subscriber_joined_at"


@pytest.fixture
def crowded(engine: Engine, now: datetime) -> Engine:
    """Return an engine on a database with some thousand subscribers, of whom its planner knows."""
    crowd.fill(engine, SIZE, now=now)
    return engine


def plan(session: Session, query: Executable) -> str:
    """Return how the database would answer, a step a line."""
    dialect = session.get_bind().dialect
    statement = str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))  # type: ignore[attr-defined]
    explain = "EXPLAIN QUERY PLAN" if dialect.name == "sqlite" else "EXPLAIN"
    return "\n".join(str(row[-1]) for row in session.connection().exec_driver_sql(f"{explain} {statement}"))


#: A condition, the index by which it is counted, and the one by which a page of it is found.
SHAPES = [
    ("topics has 'ai-chips'", OF_TOPICS, OF_TOPICS),
    ("topics has any of ('ai-chips', 'energy')", OF_TOPICS, "subscriber_topic"),
    ("lists has 'alerts' and topics has 'ai-chips'", OF_TOPICS, OF_TOPICS),
    ("country = 'AT' and plan = 'pro'", OF_COUNTRY, OF_COUNTRY),
    ("joined within 20 days", "ix_subscriber_joined_at", OF_NUMBER),
    ("email = 'reader7@example.com'", OF_ADDRESS, OF_ADDRESS),
    ("opened within 8 days", "ix_event_kind_at_subscriber_id", OF_EVENTS),
    ("clicked issue 2", OF_CLICKS, f"{OF_CLICKS}|ix_click_subscriber_id_issue_id_at"),
    ("received issue 2", OF_DELIVERIES, OF_DELIVERIES),
    ("received issue 2 and topics has 'ai-chips'", OF_TOPICS, OF_TOPICS),
    ("not topics has 'ai-chips'", OF_TOPICS, "subscriber_topic"),
    ("not country = 'AT' and not topics has 'ai-chips'", OF_TOPICS, "subscriber_topic"),
    ("country = 'AT' or clicked issue 2", OF_CLICKS, OF_NUMBER),
]
#: Nobody can tell who is not among some without going through everybody.
EVERYBODY = ("not ", "country = 'AT' or ")


def test_conditions_are_counted_and_paged_by_index(crowded: Engine, now: datetime) -> None:
    with db.reading(crowded) as session:
        for condition, by, page_by in SHAPES:
            understood = segments.understand(session, condition, now=now)
            counted = plan(session, understood.count())
            assert re.search(by, counted), f"{condition}: {counted}"
            if not condition.startswith(EVERYBODY):
                assert not re.search("SCAN|Seq Scan (?!on click)", counted), f"{condition}: {counted}"
            paged = plan(session, understood.page.params(after=10, limit=50))
            assert re.search(page_by, paged), f"{condition}: {paged}"
            assert not re.search("SCAN subscriber|Seq Scan on subscriber", paged), f"{condition}: {paged}"
