"""What a desk is doing in numbers: which, and who may read them."""

import re
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from newsletter import db
from newsletter.delivery import planning, relays
from newsletter.errors import RelayError, SettingsError
from newsletter.issues.models import Issue, IssueState
from newsletter.settings import load
from newsletter.web.app import create
from subscribers import pauses, suppressions, upsert
from subscribers.models import SuppressionReason
from tests.delivery.desk import make_issue
from tests.web.conftest import Desk, served

LINE = re.compile(r'newsletter_[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? \d+')


def test_the_numbers_tell_what_the_desk_is_doing_and_of_whom_nothing(desk: Desk) -> None:
    with db.transaction(desk.engine) as session:
        issue = make_issue(session, desk.now)
        pauses.until(session, desk.bo, (desk.now + timedelta(days=3)).date(), now=desk.now)
        planning.plan(session, issue, lists=["weekly"], segments=[], batch=10, actor="mara", now=desk.now)
        session.execute(update(upsert.table(Issue)).values(state=IssueState.PAUSED))
        suppressions.add(session, "x@quay.example", reason=SuppressionReason.COMPLAINT, source="", now=desk.now)
        relays.note(session, {"main": RelayError("it is full")}, now=desk.now)
    with served(desk.settings, desk.engine, at=desk.now) as address:
        answer = httpx2.get(f"{address}/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    for line in lines:
        assert line.startswith(("# HELP newsletter_", "# TYPE newsletter_")) or LINE.fullmatch(line), line
    assert {
        'newsletter_issues{state="paused"} 1', f'newsletter_copies{{issue="{issue}",state="pending"}} 1',
        f'newsletter_copies{{issue="{issue}",state="skipped"}} 1', "newsletter_subscribers 2",
        "newsletter_subscribers_paused 1", 'newsletter_subscriptions{list="weekly",state="confirmed"} 2',
        'newsletter_suppressions{reason="complaint"} 1', 'newsletter_letters{state="waiting"} 0',
        'newsletter_notices{state="dead"} 0', 'newsletter_relay_paused{relay="main"} 1',
    } <= set(lines)  # fmt: skip
    assert "@" not in answer.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_only_who_may_know_reads_the_numbers(desk: Desk) -> None:
    (desk.settings.folder / "keys" / "metrics").write_text("a-long-token\n")
    environ = {"NEWSLETTER_WEB_METRICS_TOKEN_FILE": str(desk.settings.folder / "keys" / "metrics")}
    settings = load(desk.settings.folder, environ)

    def asked(host: str, **headers: str) -> int:
        client = TestClient(create(settings, desk.engine), client=(host, 5000))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.get("/metrics", headers=named).status_code

    assert [asked("127.0.0.1"), asked("::1"), asked("127.9.9.9")] == [200, 200, 200]
    assert [asked("198.51.100.7"), asked("testclient"), asked("10.0.0.1")] == [403, 403, 403]
    for header in ("X_Forwarded_For", "Forwarded", "Via"):
        assert asked("127.0.0.1", **{header: "198.51.100.7"}) == 403
    assert asked("198.51.100.7", Authorization="Bearer a-long-token") == 200
    for wrong in ("Bearer", "Bearer ", "Bearer a-long-toke", "a-long-token"):
        assert asked("198.51.100.7", Authorization=wrong) == 403
    settings = load(desk.settings.folder, {})
    assert asked("198.51.100.7", Authorization="Bearer ") == 403
    with pytest.raises(SettingsError, match="metrics_from"):
        (desk.settings.folder / "newsletter.toml").open("a").write('\n[web]\nmetrics_from = ["everybody"]\n')
        load(desk.settings.folder, {})
