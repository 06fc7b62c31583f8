"""Receivers that are told of facts: a real server that takes what is signed, and one that does not."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from newsletter import db, doctor, hooks
from newsletter.errors import NotFound, SettingsError
from newsletter.feedback import leaving, persons, webhooks
from newsletter.feedback.webhooks import Tally
from newsletter.issues import contents, issues
from newsletter.issues.models import IssueState
from newsletter.settings import Settings, load
from subscribers import confirmations, lists, notices, signups, suppressions, upsert
from subscribers.consent import Saying
from subscribers.models import Notice, OptIn, SuppressionReason
from subscribers.signups import Form
from tests.delivery import desk
from tests.delivery.desk import Clock
from tests.support.commands import Desk
from tests.support.keys import KEYRING

KEY = bytes(range(32))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
WORD = {"method": "page", "ip": "", "user_agent": ""}


@dataclass
class Receiver:
    """A server that keeps what it is told, and answers as it is set to."""

    url: str = ""
    status: int = 204
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def bodies(self) -> list[dict[str, object]]:
        return [json.loads(body) for _, body in self.heard]


@contextmanager
def receiving() -> Iterator[Receiver]:
    made = Receiver()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(made.status)
            self.send_header("Location", f"{made.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        made.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def configured(settings: Settings, url: str, *, events: str = "", private: str = "private = true") -> Settings:
    """Return the settings with one receiver."""
    (settings.folder / "keys" / "shop.secret").write_text(SECRET + "\n")
    table = f'\n[[webhook]]\nname = "shop"\nurl = "{url}"\nsecret_file = "keys/shop.secret"\n{private}\n{events}\n'
    path = settings.folder / "newsletter.toml"
    path.write_text(path.read_text().partition("\n[[webhook]]")[0] + table)
    return load(settings.folder, {})


def told_engine(engine: Engine, settings: Settings) -> Engine:
    return notices.wanted(engine, {each.name: frozenset(each.events) for each in settings.webhook})


def suppress(engine: Engine, email: str, now: datetime) -> None:
    with db.transaction(engine) as session:
        suppressions.add(session, email, reason=SuppressionReason.COMPLAINT, source="", now=now)


def test_a_receiver_is_told_of_each_fact_once_signed_and_with_no_address_kept(
    settings: Settings, now: datetime, receiver: Receiver
) -> None:
    settings, clock = configured(settings, receiver.url), Clock(now)
    engine = db.connect(settings)
    with db.transaction(engine) as session:
        on = lists.create(session, "weekly", now=now).id
        lists.create(session, "single", opt_in=OptIn.SINGLE, now=now)
        asked = signups.sign_up(
            session, "ada@example.com", wishes={"weekly": "Yes", "single": "Yes"}, form=Form(), keyring=KEYRING, now=now
        ).asked
        assert asked
        confirmations.confirm(session, asked.token, keyring=KEYRING, now=now)
        leaving.leave(session, subscriber_id=1, list_id=on, now=now, **WORD)
        leaving.leave(session, subscriber_id=1, list_id=on, now=now, **WORD)
        leaving.leave_each(session, [Saying(subscriber_id=1, list_id=on + 1, method="one-click", now=now)])
        suppressions.add(session, "Bo@example.com", reason=SuppressionReason.COMPLAINT, source="", now=now)
        issue = desk.make_issue(session, now)
        issues.move(session, issue, IssueState.SENDING, since=(IssueState.FROZEN,))
        contents.close(session, issue, actor="mara", now=now)
        kept = repr(session.execute(select(upsert.table(Notice))).all())
    assert "example.com" not in kept
    assert webhooks.deliver(engine, settings, clock=clock) == Tally(told=6, waiting=0)
    assert webhooks.deliver(engine, settings, clock=clock) == Tally()
    person = {"subscriber": 1, "email": "ada@example.com"}
    assert [(each["type"], each["data"]) for each in receiver.bodies()] == [
        ("subscriber.confirmed", {**person, "list": "single"}), ("subscriber.confirmed", {**person, "list": "weekly"}),
        ("subscriber.unsubscribed", {**person, "list": "weekly"}),
        ("subscriber.unsubscribed", {**person, "list": "single"}),
        ("suppression.added", {"email": "bo@example.com", "reason": "complaint"}), ("issue.sent", {"issue": issue}),
    ]  # fmt: skip
    assert receiver.bodies()[0]["timestamp"] == now.isoformat()
    for headers, body in receiver.heard:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        right = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{right}"
        assert abs(int(headers["webhook-timestamp"]) - now.timestamp()) < 1
    assert len({headers["webhook-id"] for headers, _ in receiver.heard}) == 6


def test_the_signature_is_that_of_the_standard() -> None:
    key = hooks.key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    said = webhooks.sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}')
    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_is_not_taken_is_told_again_later_and_given_up_after_three_days(
    settings: Settings, engine: Engine, now: datetime, receiver: Receiver
) -> None:
    settings, clock = configured(settings, receiver.url), Clock(now)
    engine = told_engine(engine, settings)
    suppress(engine, "ada@example.com", now)
    suppress(engine, "bo@example.com", now)
    receiver.status = 500
    assert webhooks.deliver(engine, settings, clock=clock) == Tally(told=0, waiting=2)
    assert len(receiver.heard) == 1, "one refusal is enough for a pass"
    receiver.status = 302  # not followed: the address was not judged
    for seconds in (5, 300, 300, 1800, 1800):
        clock.tick(seconds=seconds)
        webhooks.deliver(engine, settings, clock=clock)
    assert {headers["webhook-id"] for headers, _ in receiver.heard[:1]} < {h["webhook-id"] for h, _ in receiver.heard}
    with db.reading(engine) as session:
        assert "refused again and again" in webhooks.troubles(session, now=clock.now)["shop"]
    clock.tick(days=3)
    for _ in range(3):
        webhooks.deliver(engine, settings, clock=clock)
        clock.tick(hours=1)
    with db.reading(engine) as session:
        assert {(each.state.value, each.answer) for each in webhooks.all(session)} == {("dead", "HTTP 302")}
    found = {each.part: each for each in doctor.examine(settings, now=clock.now)}
    assert found["webhook shop"].verdict == "wrong"
    assert "2 notices given up" in found["webhook shop"].words
    receiver.status = 200
    with db.transaction(engine) as session:
        assert webhooks.redeliver(session, [], now=clock.now) == 2
    assert webhooks.deliver(engine, settings, clock=clock) == Tally(told=2, waiting=0)
    with db.transaction(engine) as session, pytest.raises(NotFound, match="not all of these notices"):
        webhooks.redeliver(session, [1, 99], now=clock.now)


def test_a_receiver_that_is_gone_is_told_no_more_and_one_that_hangs_up_is_told_later(
    settings: Settings, engine: Engine, now: datetime, receiver: Receiver
) -> None:
    settings, clock = configured(settings, receiver.url, events='events = ["suppression.added"]'), Clock(now)
    engine = told_engine(engine, settings)
    with db.transaction(engine) as session:
        lists.create(session, "single", opt_in=OptIn.SINGLE, now=now)
        signups.sign_up(session, "cy@example.com", wishes={"single": "Yes"}, form=Form(), keyring=KEYRING, now=now)
    suppress(engine, "ada@example.com", now)
    receiver.status = 410
    assert webhooks.deliver(engine, settings, clock=clock) == Tally()
    with db.reading(engine) as session:
        (notice,) = webhooks.all(session)
        assert (notice.state, notice.answer) == ("dead", "HTTP 410")
    suppress(engine, "bo@example.com", now)
    away = configured(settings, "http://127.0.0.1:9/hook")
    assert webhooks.deliver(engine, away, clock=clock) == Tally(told=0, waiting=1)
    with db.transaction(engine) as session:
        assert "no answer" in webhooks.all(session)[0].answer
        persons.erase(session, "bo@example.com", keyring=KEYRING, now=now)
        assert len(webhooks.all(session)) == 1, "what was to be told of who is erased goes too"


def test_nothing_inside_the_house_is_told_unless_the_settings_say_so(
    settings: Settings, engine: Engine, now: datetime, receiver: Receiver
) -> None:
    for url in ("http://shop.example/hook", "ftp://shop.example", "https://kim:x@shop.example/", "https:///hook"):
        with pytest.raises(SettingsError):
            configured(settings, url, private="")
    inside = configured(settings, receiver.url.replace("http:", "https:"), private="")
    answer = webhooks.test(inside, "shop", now=now)
    assert (answer.status, answer.taken) == (0, False)
    assert "127.0.0.1, which is not on the public internet" in answer.said
    assert receiver.heard == []


def test_a_fact_that_is_taken_back_is_told_to_nobody(
    settings: Settings, engine: Engine, now: datetime, receiver: Receiver
) -> None:
    settings = configured(settings, receiver.url)
    engine = told_engine(engine, settings)
    with pytest.raises(RuntimeError), db.transaction(engine) as session:
        suppressions.add(session, "ada@example.com", reason=SuppressionReason.MANUAL, source="", now=now)
        raise RuntimeError
    assert webhooks.deliver(engine, settings, clock=Clock(now)) == Tally()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_receivers_are_made_tried_and_told_anew_by_command(settings: Settings, receiver: Receiver) -> None:
    configured(settings, receiver.url)
    here = Desk(settings.folder)
    assert here.json("webhooks", "test", "shop") == {
        "receiver": "shop", "status": 204, "taken": True, "said": "HTTP 204",
    }  # fmt: skip
    assert receiver.bodies()[0]["type"] == "test"
    here.run("suppressions", "add", "ada@example.com")
    assert "Notices to webhooks: 1 told, 0 waiting" in here.run("deliver").stdout
    assert here.json("deliver")["webhooks"] == {"told": 0, "waiting": 0}
    told = here.json("webhooks", "list", "--state", "told")
    assert [(each["fact"], each["attempts"]) for each in told["notices"]] == [("suppression.added", 1)]
    assert [each["name"] for each in told["receivers"]] == ["shop"]
    receiver.status = 500
    assert here.json("webhooks", "redeliver", "1") == {"waiting": 1}
    assert "shop did not take it: HTTP 500" in here.refuses("webhooks", "test", "shop")
    assert "no [[webhook]] called 'shup'" in here.refuses("webhooks", "test", "shup", code=3)
    made = Path(settings.folder, "keys", "more.secret")
    assert here.json("webhooks", "keygen", "keys/more.secret") == {"file": "keys/more.secret"}
    assert len(hooks.key(made.read_text().strip())) == 32
    assert made.stat().st_mode & 0o777 == 0o600
    assert "cannot be made: File exists" in here.refuses("webhooks", "keygen", "keys/more.secret")
    Path(settings.folder, "keys", "shop.secret").write_text("short\n")
    assert "webhooks keygen" in here.refuses("webhooks", "test", "shop")
