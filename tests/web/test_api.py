"""The interface for programs: who comes in, what they are told, and what no request can do."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from newsletter import db
from newsletter.feedback import persons
from newsletter.settings import load
from newsletter.web.api import door, tokens
from newsletter.web.api.models import KeptAnswer
from newsletter.web.api.tokens import Scope
from newsletter.web.app import create
from subscribers import attributes, consent, lists, subscribers, suppressions, upsert
from subscribers.models import AttributeType, Knock, OptIn
from tests.delivery.desk import Clock
from tests.support import smtp
from tests.support.commands import Desk as Newsletter
from tests.support.keys import KEYRING
from tests.web.conftest import Desk

WORDS = "Yes, send me The Weekly Tide."
NEW = {
    "email": "new@quay.example", "lists": ["weekly"],
    "consent": {"words": WORDS, "form": "7", "ip": "192.0.2.7", "user_agent": "Form/1"},
}  # fmt: skip
SIZE = 300


@dataclass
class Api:
    """A program that asks the desk, with a token for everything."""

    client: TestClient
    desk: Desk
    clock: Clock
    server: smtp.Server
    secret: str

    def ask(
        self, method: str, path: str, body: Any = None, *, secret: str | None = None, **headers: str
    ) -> httpx2.Response:
        shown = {"Authorization": f"Bearer {self.secret if secret is None else secret}"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(method, f"/api/v1{path}", json=body, headers={**shown, **named})

    def token(self, name: str, *scopes: Scope, days: int = 0) -> str:
        with db.transaction(self.desk.engine) as session:
            expires = timedelta(days=days) if days else None
            return tokens.create(session, name, scopes=scopes, expires=expires, actor="kim", now=self.clock.now)[1]


@pytest.fixture
def api(desk: Desk) -> Iterator[Api]:
    with smtp.serving() as server:
        environ = {"NEWSLETTER_RELAY_MAIN_PORT": str(server.port), "NEWSLETTER_WEB_API_RATE": str(SIZE)}
        clock = Clock(desk.now)
        with TestClient(create(load(desk.settings.folder, environ), desk.engine, clock=clock)) as client:
            made = Api(client, desk, clock, server, "")
            made.secret = made.token("shop", *Scope)
            yield made


def problem(answer: httpx2.Response, status: int) -> str:
    """Hold an answer to be a problem of a status, and return what it says."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    said = answer.json()
    assert (said["status"], said["type"], bool(said["title"])) == (status, "about:blank", True)
    return f"{said['detail']} {said.get('errors', '')}"


def test_who_shows_no_valid_token_is_let_in_nowhere(api: Api) -> None:
    before = api.desk.rows()
    old, gone, few = api.token("old", *Scope, days=1), api.token("gone", *Scope), api.token("few", Scope.LISTS_READ)
    with db.transaction(api.desk.engine) as session:
        tokens.revoke(session, "gone", actor="kim", now=api.clock.now)
    assert api.ask("GET", "/lists", secret=old).status_code == 200
    api.clock.tick(days=1)
    document = api.client.get("/api/v1/openapi.json").json()
    for path, verbs in document["paths"].items():
        for verb in verbs:
            place = re.sub(r"{\w+}", "1", path)
            for secret in ("", "newsletter_wrong", old, gone, api.secret[:-1]):
                answer = api.ask(verb.upper(), place, {}, secret=secret)
                if answer.status_code != 422:  # what does not fit is told before anybody is looked up
                    problem(answer, 401)
                    assert answer.headers["www-authenticate"] == "Bearer"
            if path.startswith("/lists"):
                continue
            answer = api.ask(
                verb.upper(), place, NEW if path == "/subscribers" else {"email": "x@quay.example"}, secret=few
            )
            assert answer.status_code in (403, 422)
    assert api.ask("GET", "/subscribers", secret=few).headers["www-authenticate"] == (
        'Bearer error="insufficient_scope", scope="subscribers:read"'
    )
    after = api.desk.rows()
    assert {name for name in before if before[name] != after[name]} == {"access_token", "knock"}
    assert api.secret not in repr(after)


def test_a_sign_up_asks_by_mail_and_keeps_the_words(api: Api) -> None:
    with db.transaction(api.desk.engine) as session:
        lists.edit(session, "monthly", opt_in=OptIn.SINGLE)
        attributes.add(session, "plan", type=AttributeType.STR, now=api.clock.now)
    body = {
        **NEW,
        "lists": ["weekly", "monthly"],
        "topics": ["fuel"],
        "attributes": {"plan": "pro"},
        "frequency": "weekly",
    }
    answer = api.ask("POST", "/subscribers", body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["outcomes"] == {"weekly": "asked", "monthly": "joined"}
    told = answer.json()["subscriber"]
    assert (told["lists"], told["topics"], told["attributes"], told["frequency"]) == (
        {"weekly": "pending", "monthly": "confirmed"}, ["fuel"], {"plan": "pro"}, "weekly",
    )  # fmt: skip
    (letter,) = api.server.accepted
    assert b"Confirm: The Weekly Tide" in letter.data
    with db.reading(api.desk.engine) as session:
        proofs = consent.of(session, told["id"])
    assert {(each.list, each.event.value, each.method, each.words, each.ip, each.form_version) for each in proofs} == {
        ("weekly", "requested", "api, token shop", WORDS, "192.0.2.7", "7"),
        ("monthly", "confirmed", "api, token shop", WORDS, "192.0.2.7", "7"),
    }
    found = api.ask("GET", "/subscribers?email=NEW@quay.example").json()["items"]
    assert found == [told] == [api.ask("GET", f"/subscribers/{told['id']}").json()]


def test_nobody_is_brought_back_who_left_or_must_not_be_mailed(api: Api) -> None:
    with db.transaction(api.desk.engine) as session:
        lists.edit(session, "weekly", opt_in=OptIn.SINGLE)
    left = api.ask("POST", f"/subscribers/{api.desk.bo}/unsubscribe", {"list": "weekly"})
    assert left.json()["lists"] == {"weekly": "unsubscribed"}
    again = api.ask("POST", "/subscribers", {**NEW, "email": "bo@quay.example"})
    assert again.json()["outcomes"] == {"weekly": "asked"}
    assert api.desk.states(api.desk.bo) == {"weekly": "pending"}
    answer = api.ask("POST", "/suppressions", {"email": "bo@quay.example", "reason": "complaint"})
    assert answer.json() == {"list": None, "reason": "complaint", "new": True}
    assert api.ask("POST", "/suppressions", {"email": "BO@quay.example"}).json()["new"] is False
    before = api.desk.states(api.desk.bo)
    assert "must not be mailed" in problem(api.ask("POST", "/subscribers", {**NEW, "email": "bo@quay.example"}), 409)
    assert api.desk.states(api.desk.bo) == before
    (standing,) = api.ask("GET", "/suppressions").json()["items"]
    assert (standing["email"], standing["list"], standing["reason"]) == ("bo@quay.example", None, "complaint")
    with db.transaction(api.desk.engine) as session:
        lists.edit(session, "weekly", opt_in=OptIn.DOUBLE)
    last = [api.ask("POST", "/subscribers", {**NEW, "email": "cy@quay.example"}).status_code for _ in range(4)]
    assert last == [201, 201, 201, 409], "nobody is flooded with letters"


def test_a_change_is_whole_or_nothing(api: Api) -> None:
    path = f"/subscribers/{api.desk.ana}"
    changed = api.ask("PATCH", path, {"topics": ["tariffs", "harbours"], "frequency": "monthly", "name": "Ana"}).json()
    assert (changed["topics"], changed["frequency"], changed["name"]) == (["harbours", "tariffs"], "monthly", "Ana")
    assert api.ask("PATCH", path, {}).json() == changed
    for body, words in (
        ({"name": "A", "attributes": {"plan": "x"}}, "no attribute of this name is declared"),
        ({"name": "A", "language": "??"}, "a language is a code"), ({"name": "A", "emial": "x"}, "body.emial"),
        ({"name": "A", "frequency": "hourly"}, "body.frequency"), ({"name": "A\x00"}, "control characters"),
    ):  # fmt: skip
        assert words in problem(api.ask("PATCH", path, body), 422)
        assert api.ask("GET", path).json() == changed
    problem(api.ask("GET", "/subscribers/999999"), 404)
    problem(api.ask("POST", f"{path}/unsubscribe", {"list": "nowhere"}), 404)
    assert api.ask("POST", f"{path}/unsubscribe", {}).json()["lists"] == {
        "monthly": "unsubscribed", "weekly": "unsubscribed",
    }  # fmt: skip


def test_a_request_with_a_key_is_carried_out_once(api: Api) -> None:
    answers = [api.ask("POST", "/subscribers", NEW, Idempotency_Key="one") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert [each.headers.get("idempotency-replayed") for each in answers] == [None, "true"]
    assert len(api.server.accepted) == 1
    other = {**NEW, "email": "other@quay.example"}
    assert "another request" in problem(api.ask("POST", "/subscribers", other, Idempotency_Key="one"), 422)
    problem(api.ask("POST", "/subscribers", other, Idempotency_Key="a b"), 422)
    with db.transaction(api.desk.engine) as session:
        persons.erase(session, "new@quay.example", keyring=KEYRING, now=api.clock.now)
        assert session.execute(select(upsert.table(KeptAnswer))).all() == []
    with ThreadPoolExecutor(4) as pool:
        asked = pool.map(lambda _: api.ask("POST", "/subscribers", other, Idempotency_Key="two").json(), range(4))
    assert len({json.dumps(each) for each in asked}) == 1
    assert len(api.server.accepted) == 2


def test_listings_come_in_pages(api: Api) -> None:
    with db.transaction(api.desk.engine) as session:
        for number in range(5):
            subscribers.add(session, f"r{number}@quay.example", lists=["weekly"], keyring=KEYRING, now=api.clock.now)
    seen, cursor = [], ""
    while True:
        page = api.ask("GET", f"/subscribers?limit=3&list=weekly&cursor={cursor}").json()
        seen += [each["email"] for each in page["items"]]
        if not (cursor := page["next"]):
            break
    assert seen == ["ana@quay.example", "bo@quay.example", *(f"r{number}@quay.example" for number in range(5))]
    first = api.ask("GET", "/lists?limit=1").json()
    assert [each["name"] for each in first["items"]] == ["monthly"]
    assert [each["name"] for each in api.ask("GET", f"/lists?cursor={first['next']}").json()["items"]] == ["weekly"]
    for wrong in ("!", "AAA", "LTE", "4pi6"):
        problem(api.ask("GET", f"/subscribers?cursor={wrong}"), 400)
    problem(api.ask("GET", "/subscribers?limit=0"), 422)
    assert api.ask("GET", "/issues").json() == {"items": [], "next": None}
    problem(api.ask("GET", "/issues/1"), 404)
    problem(api.ask("GET", "/issues/1/status"), 404)


def test_a_token_comes_in_so_often_and_no_body_is_too_long(api: Api) -> None:
    first = api.ask("GET", "/lists")
    assert (first.headers["ratelimit-policy"], first.headers["ratelimit"]) == (
        f'"token";q={SIZE};w=60', f'"token";r={SIZE - 1};t=60',
    )  # fmt: skip
    with db.transaction(api.desk.engine) as session:
        session.execute(upsert.table(Knock).update().values(times=SIZE))
    last = api.ask("GET", "/lists")
    problem(last, 429)
    assert (last.headers["retry-after"], last.headers["ratelimit"]) == ("60", '"token";r=0;t=60')
    api.clock.tick(minutes=1)
    assert api.ask("GET", "/lists").status_code == 200
    problem(api.ask("POST", "/subscribers", {**NEW, "name": "x" * door.LIMIT}), 413)
    chunks = (b" " * 1024 for _ in range(40))
    shown = {"Authorization": f"Bearer {api.secret}", "Content-Type": "application/json"}
    problem(api.client.post("/api/v1/subscribers", content=chunks, headers=shown), 413)
    for body in (b"[" * 20_000, b'{"email": "\\ud800"}', b"\xff", b"nonsense", b'{"email": NaN}', b""):
        answer = api.client.post("/api/v1/subscribers", content=body, headers=shown)
        assert answer.status_code in (400, 422)
        problem(answer, answer.status_code)
    problem(api.ask("GET", "/nowhere"), 404)
    problem(api.ask("DELETE", "/lists"), 405)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_tokens_are_made_shown_once_listed_and_taken_back_by_command(desk: Desk) -> None:
    here = Newsletter(desk.settings.folder)
    made = here.json("tokens", "create", "shop", "--scope", "lists:read, issues:read", "--expires", "90d")
    assert re.fullmatch(r"newsletter_[\w-]{43}", made["secret"])
    told = here.run("tokens", "list", "--json").stdout
    assert made["secret"] not in told
    (token,) = json.loads(told)
    assert (token["name"], token["scopes"], token["used_at"]) == ("shop", ["lists:read", "issues:read"], None)
    assert "is no scope; they are subscribers:read" in here.refuses("tokens", "create", "x", "--scope", "all")
    assert "there is a token shop already" in here.refuses("tokens", "create", "shop", "--scope", "lists:read")
    assert "no stretch of time" in here.refuses("tokens", "create", "y", "--scope", "lists:read", "--expires", "soon")
    with TestClient(create(desk.settings, desk.engine)) as client:
        shown = {"Authorization": f"Bearer {made['secret']}"}
        assert client.get("/api/v1/lists", headers=shown).status_code == 200
        assert here.json("tokens", "list")[0]["used_at"]
        assert here.json("tokens", "revoke", "shop") == {"token": "shop", "revoked": True}
        assert client.get("/api/v1/lists", headers=shown).status_code == 401
    assert "was taken back on" in here.refuses("tokens", "revoke", "shop")
    assert "there is no token" in here.refuses("tokens", "revoke", "nobody", code=3)


def test_a_suppression_by_a_list_leaves_the_others(api: Api) -> None:
    assert api.ask("POST", "/suppressions", {"email": "ana@quay.example", "list": "weekly"}).json()["list"] == "weekly"
    answer = api.ask("POST", "/subscribers", {**NEW, "email": "ana@quay.example", "lists": ["weekly", "monthly"]})
    assert answer.json()["outcomes"] == {"weekly": "suppressed", "monthly": "already"}
    with db.reading(api.desk.engine) as session:
        assert [each.source for each in suppressions.of(session, "ana@quay.example")] == ["token shop"]
