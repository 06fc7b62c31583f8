"""CSV files of people: what is taken, what is refused, and what never changes."""

import contextlib
import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, col, func, select

from subscribers import imports, subscribers, subscriptions, suppressions
from subscribers.errors import BadRow, BadValue, NotFound, Refused
from subscribers.imports import Reject
from subscribers.models import (
    Consent,
    ConsentEvent,
    Subscriber,
    Subscription,
    SubscriptionState,
    SuppressionReason,
)
from tests.support.keys import KEYRING

HEAD = "email,name,country,topics,plan\n"


def load(session: Session, text: str, now: datetime, **how: Any) -> imports.ImportResult:
    """Import the text onto the list `weekly`."""
    given = {"lists": ["weekly"], "basis": "signed up at the fair", "now": now, **how}
    return imports.load(session, io.StringIO(text, newline=""), keyring=KEYRING, **given)


def counts(result: imports.ImportResult) -> tuple[int, int, int, int, int, int]:
    """Return the numbers: added, updated, unchanged, rejected, suppressed, kept out."""
    return (
        result.added, result.updated, result.unchanged, len(result.rejected), result.suppressed, result.kept_out
    )  # fmt: skip


def many(size: int) -> str:
    """Return a file of so many people."""
    return HEAD + "".join(
        f"r{number}@c{number % 9}.example,Reader {number},DE,energy;cloud,pro\n" for number in range(size)
    )


def stored(session: Session) -> tuple[int, int, int]:
    """Return how many subscribers, subscriptions and consents there are."""
    people, standing, proof = (
        session.exec(select(func.count()).select_from(model)).one() for model in (Subscriber, Subscription, Consent)
    )
    return people, standing, proof


def test_good_rows_become_confirmed_subscribers_with_consent(desk: Session, now: datetime, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"\xef\xbb\xbfEmail;Name;Country;Topics;Plan Type\r\n"
                     b'Ada@example.com;Ada Brandt;de;"Energy; cloud";pro\r\n\r\n;;;;\r\n'
                     b'"bob@example.com";"O\'Neil; Bob";;;\r\n')  # fmt: skip
    result = imports.load(
        desk, path, lists=["weekly", "alerts"], basis="signed up at the fair", keyring=KEYRING, now=now
    )
    assert counts(result) == (2, 0, 0, 0, 0, 0)
    ada, bob = subscribers.all(desk)
    assert (ada.email, ada.name, ada.country, ada.topics) == (
        "Ada@example.com", "Ada Brandt", "DE", ["cloud", "energy"],
    )  # fmt: skip
    assert ada.attributes == {"plan_type": "pro"}
    assert (bob.name, bob.attributes, bob.topics) == ("O'Neil; Bob", {}, [])
    assert ada.subscriptions == bob.subscriptions == {"alerts": "confirmed", "weekly": "confirmed"}
    proof = desk.exec(select(Consent)).all()
    assert {(row.event, row.method, row.words) for row in proof} == {
        (ConsentEvent.CONFIRMED, "import", "signed up at the fair")
    }
    assert len(proof) == 4


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_separator_is_read_from_the_header(desk: Session, now: datetime, delimiter: str) -> None:
    text = "name,email\nAda,ada@example.com\n".replace(",", delimiter)
    assert counts(load(desk, text, now)) == (1, 0, 0, 0, 0, 0)
    assert subscribers.find(desk, "ada@example.com").name == "Ada"


def test_the_same_file_again_changes_nothing(desk: Session, now: datetime) -> None:
    assert counts(load(desk, many(4321), now)) == (4321, 0, 0, 0, 0, 0)
    before = stored(desk)
    assert before == (4321, 4321, 4321)
    assert counts(load(desk, many(4321), now + timedelta(days=1))) == (0, 0, 4321, 0, 0, 0)
    assert stored(desk) == before


def test_a_later_file_adds_to_what_is_known(desk: Session, now: datetime) -> None:
    load(desk, HEAD + "ada@example.com,Ada,DE,energy,pro\nbob@example.com,Bob,,,\ncyd@example.com,,,,\n", now)
    text = "email,name,seats,topics\nADA@example.com,,3,\nbob@example.com,Bobby,,\ncyd@example.com,,,cloud\n"
    assert counts(load(desk, text, now + timedelta(days=1))) == (0, 3, 0, 0, 0, 0)
    ada, bob, cyd = subscribers.all(desk)
    assert (ada.email, ada.name, ada.country, ada.topics) == ("ada@example.com", "Ada", "DE", ["energy"])
    assert ada.attributes == {"plan": "pro", "seats": "3"}
    assert (bob.name, cyd.topics, ada.joined_at) == ("Bobby", ["cloud"], now)
    assert counts(load(desk, text, now, lists=["alerts"])) == (0, 3, 0, 0, 0, 0)


def test_who_left_stays_out_and_who_waits_is_confirmed(desk: Session, now: datetime) -> None:
    load(desk, many(3), now, lists=["weekly", "alerts"])
    subscriptions.unsubscribe(desk, subscriber_id=1, list_id=1, method="link", now=now)
    waiting = desk.exec(select(Subscription).where(col(Subscription.subscriber_id) == 2)).first()
    assert waiting is not None
    waiting.state = SubscriptionState.PENDING
    desk.flush()
    proof = stored(desk)[2]
    assert counts(load(desk, many(3), now, lists=["weekly", "alerts"])) == (0, 1, 1, 0, 0, 1)
    first, second, _ = subscribers.all(desk)
    assert first.subscriptions == {"alerts": "confirmed", "weekly": "unsubscribed"}
    desk.expire_all()
    assert second.subscriptions == {"alerts": "confirmed", "weekly": "confirmed"}
    assert stored(desk)[2] == proof + 1


def test_the_suppressed_are_counted_and_nothing_is_written_of_them(desk: Session, now: datetime) -> None:
    suppressions.add(desk, "R1@c1.example", reason=SuppressionReason.HARD_BOUNCE, source="", now=now)
    assert counts(load(desk, many(3), now)) == (2, 0, 0, 0, 1, 0)
    assert [each.email for each in subscribers.all(desk)] == ["r0@c0.example", "r2@c2.example"]


def test_bad_rows_are_named_and_the_rest_goes_on(desk: Session, now: datetime) -> None:
    text = (
        HEAD
        + "ada@example.com,Ada,DE,,\n"
        + "not-an-address,X,DE,,\n"
        + "bob@example.com,Bob,Germany,,\n"
        + '"c@example.com\nBcc: x@example.com",C,DE,,\n'
        + 'dot@example.com,"D\not",DE,,\n'
        + "eve@example.com,E\0ve,DE,,\n"
        + "fay@example.com,Fay,DE\n"
        + "ADA@example.com,Again,DE,,\n"
        + '"gus"@example.com,Gus,DE,,\n'
        + ",Nobody,DE,,\n"
        + "hal@example.com,Hal,DE,,\n"
    )
    result = load(desk, text, now)
    assert counts(result) == (2, 0, 0, 9, 0, 0)
    assert [(reject.line, reject.value) for reject in result.rejected] == [
        (3, "not-an-address"),
        (4, "GERMANY"),
        (5, "c@example.com\nBcc: x@example.com"),
        (7, "D\not"),
        (9, "E\0ve"),
        (10, "fay@example.com"),
        (11, "ADA@example.com"),
        (12, ""),
        (13, ""),
    ]
    assert result.rejected[6].reason == "line 2 already names this address"
    reasons = " | ".join(reject.reason for reject in result.rejected)
    for says in ("no address", "a country is a code", "line break", "3 values under 5 columns", "no CSV"):
        assert says in reasons
    assert [each.email for each in subscribers.all(desk)] == ["ada@example.com", "hal@example.com"]


def test_the_first_row_of_an_address_counts_however_far_apart(desk: Session, now: datetime) -> None:
    text = many(4100) + "R0@C0.example,Another,FR,,\n"
    result = load(desk, text, now)
    assert result.rejected == (Reject(line=4102, value="R0@C0.example", reason="line 2 already names this address"),)
    assert subscribers.find(desk, "r0@c0.example").name == "Reader 0"


def test_a_dry_run_counts_and_writes_nothing(desk: Session, now: datetime) -> None:
    load(desk, many(2), now)
    before = stored(desk)
    assert counts(load(desk, many(5), now, dry_run=True)) == (3, 0, 2, 0, 0, 0)
    assert stored(desk) == before
    assert counts(load(desk, many(5), now)) == (3, 0, 2, 0, 0, 0)


def test_progress_is_told_along_the_way(desk: Session, now: datetime) -> None:
    heard: list[int] = []
    load(desk, many(4500), now, progress=heard.append)
    assert heard == [2000, 4000, 4500]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no first line"),
        (b"\xef\xbb\xbf", "no first line"),
        (b"name,mail\nAda,ada@example.com\n", "no column `email` \\(it has: name, mail\\)"),
        (b"ada@example.com\nbob@example.com\n", "no column `email`"),
        ("email,name\nada@example.com,Jürgen\n".encode("latin-1"), "save it as UTF-8"),
        ("email,name\nada@example.com,Ada\n".encode("utf-16"), "save it as UTF-8"),
        (b"email,name,\nada@example.com,Ada,\n", "column 3 is called ''"),
        (b"email,plan,Plan\nada@example.com,a,b\n", "column 3 is called 'Plan'"),
        (b'email,name\nada@example.com,Ada\nbob@example.com,"Bob\ncyd@example.com,Cyd\n', "line 3: a quote"),
        (b'"email,name\n', "line 1: a quote"),
    ],
)
def test_a_file_that_is_no_table_is_refused_whole(
    desk: Session, now: datetime, tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    with pytest.raises(BadRow, match=f"people.csv.*{says}"):
        imports.load(desk, path, lists=["weekly"], basis="fair", keyring=KEYRING, now=now)
    assert stored(desk) == (0, 0, 0)


def test_a_file_that_goes_bad_late_writes_nothing(desk: Session, now: datetime, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(many(5000).encode() + b"\xff\xfe\n")
    with pytest.raises(BadRow, match="UTF-8"):
        imports.load(desk, path, lists=["weekly"], basis="fair", keyring=KEYRING, now=now)
    assert stored(desk) == (0, 0, 0)


def test_an_import_needs_a_file_a_list_and_a_basis(desk: Session, now: datetime, tmp_path: Path) -> None:
    with pytest.raises(BadRow, match=r"gone\.csv cannot be read"):
        imports.load(desk, tmp_path / "gone.csv", lists=["weekly"], basis="fair", keyring=KEYRING, now=now)
    with pytest.raises(NotFound, match="no list 'weakly'"):
        load(desk, HEAD, now, lists=["weakly"])
    with pytest.raises(Refused, match="no list is named"):
        load(desk, HEAD, now, lists=[])
    with pytest.raises(BadValue, match="--consent-basis"):
        load(desk, HEAD, now, basis=" ")


def test_rejects_are_written_as_csv_with_their_line_breaks_quoted(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    imports.write_rejects(path, [Reject(line=3, value='a"b\nc', reason="no address, none")])
    with pytest.raises(Refused, match="name another file"):
        imports.write_rejects(tmp_path / "gone" / "rejects.csv", [])
    assert path.read_text() == 'line,value,reason\n3,"a""b\nc","no address, none"\n'


@given(st.text(alphabet="ab@.,;\t|\"'\n\r\0 é\ufeff", max_size=120).map("email,name\n".__add__) | st.text(max_size=60))
def test_any_text_is_rows_and_rejects_or_one_bad_file(text: str) -> None:
    with contextlib.suppress(BadRow):
        for row in imports.read(io.StringIO(text, newline="")):
            if isinstance(row, Reject):
                assert row.reason
            else:
                assert not set(row.profile.address.email + row.profile.name) & set("\r\n\0")
