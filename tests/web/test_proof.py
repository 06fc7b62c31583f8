"""The local page of the proof, by its answers: for this machine only, and nothing in the mail runs."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from newsletter import db
from newsletter.editorial import approvals, briefings, people
from newsletter.errors import NotFound
from newsletter.issues import issues
from newsletter.settings import Settings
from newsletter.web.proof.app import create
from newsletter.web.proof.sheet import Proof, in_scheme
from tests.support.texts import briefing


@pytest.fixture
def proof(settings: Settings, engine: Engine) -> Proof:
    """Return the proof of an issue of one briefing."""
    now = datetime.now(UTC)  # the proof goes by the clock
    (settings.briefings / "cranes.md").write_text(briefing("cranes"), "utf-8")
    with db.transaction(engine) as session:
        for handle in ("mara", "jonas"):
            people.add(session, handle, now=now)
        briefings.refresh(session, settings.briefings, actor="mara", now=now)
        briefings.submit(session, "cranes", actor="mara", now=now)
        approvals.approve(session, "cranes", actor="jonas", solo=False, now=now)
        words = issues.Words(subject="Cranes", preheader="Why the substation is two years behind the crane")
        issues.compose(session, ["cranes"], words=words, actor="mara", now=now)
    return Proof(settings.folder, engine, 1, environ={})


@pytest.fixture
def client(proof: Proof) -> Iterator[TestClient]:
    with TestClient(create(proof), base_url="http://127.0.0.1:8000") as client:
        yield client


def test_the_state_is_told_once(client: TestClient) -> None:
    state = client.get("/state").json()
    assert (state["issue"], state["state"], state["subject"], state["trouble"]) == (1, "assembling", "Cranes", "")
    assert state["findings"] == []
    assert client.get("/state", params={"since": state["version"]}).status_code == 204


def test_an_edit_of_a_briefing_is_seen_and_nothing_is_recorded(client: TestClient, proof: Proof) -> None:
    before = client.get("/state").json()
    path = proof.folder / "briefings" / "cranes.md"
    path.write_text(path.read_text("utf-8") + "\nOne more sentence.\n", "utf-8")
    after = client.get("/state", params={"since": before["version"]}).json()
    assert [each["rule"] for each in after["findings"] if each["severity"] == "block"] == ["P1"]
    with db.reading(proof.engine) as session:  # the edit is still to be recorded by whoever made it
        assert briefings.get(session, "cranes").state == "approved"


def test_the_mail_runs_nothing_and_fetches_only_images(client: TestClient) -> None:
    answer = client.get("/mail")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-same-origin" in policy
    assert "img-src https: http: data:;" in policy
    assert "img-src 'none';" in client.get("/mail", params={"images": "off"}).headers["content-security-policy"]
    assert "reader@example.com" in answer.text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:8000"])
def test_only_this_machine_by_name_is_answered(client: TestClient, host: str) -> None:
    for path in ("/", "/state", "/mail", "/page.js"):
        assert client.get(path, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("path", ["/sheet.py", "/..%2fapp.py", "/docs", "/openapi.json", "/page.html"])
def test_nothing_else_lies_there(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_page_may_do_nothing_but_ask_here(client: TestClient) -> None:
    for path in ("/", "/page.css", "/page.js", "/state"):
        policy = client.get(path).headers["content-security-policy"]
        assert "script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'" in policy


def test_an_issue_that_is_not_there_is_refused(proof: Proof) -> None:
    proof.issue = 99
    with pytest.raises(NotFound):
        proof.sheet()


def test_a_mode_is_shown_whatever_the_browser_is_in() -> None:
    html = (
        '<meta name="color-scheme" content="light dark"><style>@media (prefers-color-scheme: dark) { p {} }'
        "@media screen and ( prefers-color-scheme:light ) { p {} }</style>"
    )
    assert in_scheme(html, "dark") == (
        '<meta name="color-scheme" content="dark"><style>@media (min-width: 0px) { p {} }'
        "@media screen and (max-width: 0px) { p {} }</style>"
    )
    assert 'content="light"' in in_scheme(html, "light")
