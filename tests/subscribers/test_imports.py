"""Files of people: what is taken, what is refused, and what never changes."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlmodel import Session

from subscribers import chunks, erasures, lists, subscribers, subscriptions, suppressions, upsert
from subscribers.errors import BadRow, BadValue, NotFound, Refused
from subscribers.joining import Mode
from subscribers.models import (
    Consent,
    ConsentEvent,
    Frequency,
    ImportRun,
    Subscription,
    SubscriptionState,
    SuppressionReason,
)
from tests.subscribers.importing import HEAD, Desk, counts, many
from tests.support.keys import KEYRING


def proof(session: Session) -> list[tuple[Any, ...]]:
    """Return what the consent rows say."""
    table = upsert.table(Consent)
    fields = [table.c[name] for name in ("event", "method", "words", "ip", "at")]
    return [tuple(row) for row in session.execute(select(*fields).order_by(table.c.id))]


def test_good_rows_become_confirmed_subscribers_with_consent(here: Desk, now: datetime) -> None:
    content = (
        b"\xef\xbb\xbfEmail;Name;Country;Topics;Plan\r\n"
        b'Ada@example.com;Ada Brandt;de;"Energy; cloud";pro\r\n\r\n;;;;\r\n'
        b'"bob@example.com";"O\'Neil; Bob";;;\r\n'
    )
    result = here.load(content, lists=["weekly", "alerts"])
    assert counts(result) == (2, 0, 0, 0, 0, 0)
    ada, bob = here.everybody()
    assert (ada.email, ada.name, ada.country, ada.topics) == (
        "Ada@example.com", "Ada Brandt", "DE", ["cloud", "energy"],
    )  # fmt: skip
    assert (ada.attributes, ada.frequency, ada.joined_at) == ({"plan": "pro"}, Frequency.EVERY_ISSUE, now)
    assert (bob.name, bob.attributes, bob.topics) == ("O'Neil; Bob", {}, [])
    assert ada.subscriptions == bob.subscriptions == {"alerts": "confirmed", "weekly": "confirmed"}
    with here.open() as session:
        assert proof(session) == [(ConsentEvent.CONFIRMED, "import", "signed up at the fair", "", now)] * 4
        hashes = set(session.scalars(select(upsert.table(Consent).c.words_sha256)))
    assert hashes == {hashlib.sha256(b"signed up at the fair").hexdigest()}


def test_the_same_file_again_changes_nothing(here: Desk, now: datetime) -> None:
    assert counts(here.load(many(432))) == (432, 0, 0, 0, 0, 0)
    assert here.stored() == (432, 432, 432, 1)
    assert counts(here.load(many(432), now=now + timedelta(days=1))) == (0, 0, 432, 0, 0, 0)
    assert here.stored() == (432, 432, 432, 2)


def test_a_later_file_adds_to_what_is_known(here: Desk, now: datetime) -> None:
    here.declare("seats")
    here.load(HEAD + "ada@example.com,Ada,DE,energy,pro\nbob@example.com,Bob,,,\ncyd@example.com,,,,\n")
    text = "email,name,seats,topics\nADA@example.com,,3,\nbob@example.com,Bobby,,\ncyd@example.com,,,cloud\n"
    assert counts(here.load(text, now=now + timedelta(days=1))) == (0, 3, 0, 0, 0, 0)
    ada, bob, cyd = here.everybody()
    assert (ada.email, ada.name, ada.country, ada.topics) == ("ada@example.com", "Ada", "DE", ["energy"])
    assert ada.attributes == {"plan": "pro", "seats": "3"}
    assert (bob.name, cyd.topics, ada.joined_at) == ("Bobby", ["cloud"], now)
    assert counts(here.load(text, lists=["alerts"])) == (0, 3, 0, 0, 0, 0)


def test_adding_leaves_what_is_known_as_it_is(here: Desk) -> None:
    here.load(HEAD + "ada@example.com,Ada,DE,energy,pro\n")
    text = HEAD + "ada@example.com,Other,FR,cloud,free\nbob@example.com,Bob,FR,cloud,free\n"
    assert counts(here.load(text, mode=Mode.ADD, lists=["alerts"])) == (1, 1, 0, 0, 0, 0)
    ada, bob = here.everybody()
    assert (ada.name, ada.country, ada.topics, ada.attributes) == ("Ada", "DE", ["energy"], {"plan": "pro"})
    assert ada.subscriptions == {"alerts": "confirmed", "weekly": "confirmed"}
    assert (bob.name, bob.topics) == ("Bob", ["cloud"])
    assert counts(here.load(text, mode=Mode.ADD, lists=["alerts"])) == (0, 0, 2, 0, 0, 0)


def test_replacing_topics_makes_the_row_the_whole_choice(here: Desk) -> None:
    here.load(HEAD + "ada@example.com,Ada,,energy;cloud,\nbob@example.com,,,energy,\ncyd@example.com,,,energy,\n")
    text = "email,topics\nada@example.com,cloud;chips\nbob@example.com,\ncyd@example.com,Energy\n"
    assert counts(here.load(text, mode=Mode.REPLACE_TOPICS)) == (0, 2, 1, 0, 0, 0)
    assert [each.topics for each in here.everybody()] == [["chips", "cloud"], [], ["energy"]]
    with pytest.raises(BadRow, match="no topics to replace any with"):
        here.load("email\nada@example.com\n", mode=Mode.REPLACE_TOPICS)


def test_who_left_stays_out_and_who_waits_is_confirmed(here: Desk, now: datetime) -> None:
    here.load(many(3), lists=["weekly", "alerts"])
    with here.open() as session:
        first, second, _ = subscribers.all(session)
        weekly = lists.get(session, "weekly").id
        subscriptions.unsubscribe(session, subscriber_id=first.id, list_id=weekly, method="link", now=now)
        table = upsert.table(Subscription)
        theirs = (table.c.subscriber_id == second.id) & (table.c.list_id == weekly)
        session.execute(update(table).where(theirs).values(state=SubscriptionState.PENDING))
    before = here.stored()[2]
    assert counts(here.load(many(3), lists=["weekly", "alerts"])) == (0, 1, 1, 0, 0, 1)
    first, second, _ = here.everybody()
    assert first.subscriptions == {"alerts": "confirmed", "weekly": "unsubscribed"}
    assert second.subscriptions == {"alerts": "confirmed", "weekly": "confirmed"}
    assert here.stored()[2] == before + 1


STATUS = "email,status,confirmed_at,ip\n"
MAPPED: dict[str, Any] = {"columns": ["confirmed_at=consented", "ip=consent_ip"]}


def test_a_status_says_where_somebody_stands(here: Desk, now: datetime) -> None:
    rows = (
        "con@example.com,confirmed,2024-05-06 07:08:09,192.0.2.7\npen@example.com,Pending,,\n"
        "uns@example.com,unsubscribed,2024-05-06,192.0.2.7\nbou@example.com,hard_bounce,,\nodd@example.com,perhaps,,\n"
        "emp@example.com,,,\n"
    )
    result = here.load(STATUS + rows, **MAPPED)
    assert counts(result) == (3, 0, 0, 2, 1, 0)
    assert "the status is none that is known (confirmed," in result.first_rejects[0].reason
    assert {each.email: each.subscriptions["weekly"] for each in here.everybody()} == {
        "con@example.com": "confirmed", "pen@example.com": "pending", "uns@example.com": "unsubscribed",
    }  # fmt: skip
    with here.open() as session:
        assert set(proof(session)) == {
            (ConsentEvent.CONFIRMED, "import", "signed up at the fair", "192.0.2.7",
             datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
            (ConsentEvent.REQUESTED, "import", "signed up at the fair", "", now),
            (ConsentEvent.WITHDRAWN, "import", "", "", now),
        }  # fmt: skip
        [barred] = suppressions.all(session)
        assert (barred.email, barred.reason, barred.source) == (
            "bou@example.com", SuppressionReason.HARD_BOUNCE, "import",
        )  # fmt: skip


def test_a_status_moves_only_towards_what_the_reader_wished(here: Desk) -> None:
    here.load(
        STATUS + "con@example.com,confirmed,,\npen@example.com,pending,,\nuns@example.com,unsubscribed,,\n", **MAPPED
    )
    assert counts(here.load(
        STATUS + "con@example.com,pending,,\npen@example.com,confirmed,,\nuns@example.com,pending,,\n", **MAPPED
    )) == (0, 1, 1, 0, 0, 1)  # fmt: skip
    states = [each.subscriptions["weekly"] for each in here.everybody()]
    assert states == ["confirmed", "confirmed", "unsubscribed"]
    assert counts(here.load(STATUS + "con@example.com,unsubscribed,,\npen@example.com,complaint,,\n", **MAPPED)) == (
        0, 1, 0, 0, 1, 0,
    )  # fmt: skip
    con, pen, _ = here.everybody()
    assert (con.subscriptions["weekly"], pen.suppressed) == ("unsubscribed", "complaint")


def test_confirmed_rows_need_words_that_say_how_they_agreed(here: Desk) -> None:
    with pytest.raises(BadValue, match="--consent-basis"):
        here.load(HEAD, basis=" ")
    with pytest.raises(BadValue, match="--consent-basis"):
        here.load("email,status\nada@example.com,pending\nbob@example.com,active\n", basis="")
    assert here.stored() == (0, 0, 0, 0)
    assert counts(here.load("email,status\nada@example.com,pending\nbob@example.com,invalid\n", basis="")) == (
        1, 0, 0, 0, 1, 0,
    )  # fmt: skip


def test_the_suppressed_and_the_erased_are_counted_and_nothing_is_written_of_them(here: Desk, now: datetime) -> None:
    with here.open() as session:
        suppressions.add(session, "R1@c1.example", reason=SuppressionReason.HARD_BOUNCE, source="", now=now)
        suppressions.add(session, "r3@c3.example", reason=SuppressionReason.MANUAL, source="", list="weekly", now=now)
        erasures.keep(session, KEYRING, "r2@c2.example", now=now)
    assert counts(here.load(many(4))) == (1, 0, 0, 0, 3, 0)
    assert [each.email for each in here.everybody()] == ["r0@c0.example"]
    assert counts(here.load(many(4), lists=["alerts", "weekly"])) == (1, 1, 0, 0, 2, 0)
    assert here.find("r3@c3.example").subscriptions == {"alerts": "confirmed"}


def test_a_suppression_in_a_file_counts_for_who_is_suppressed_already(here: Desk, now: datetime) -> None:
    with here.open() as session:
        for name in ("ada", "bob"):
            suppressions.bounce(session, f"{name}@example.com", issue_id=3, reply="550 5.1.1 no", now=now)
        suppressions.add(session, "con@example.com", reason=SuppressionReason.MANUAL, source="kim", now=now)
        erasures.keep(session, KEYRING, "dan@example.com", now=now)
    rows = (
        "ada@example.com,complaint",
        "bob@example.com,weekly=complaint",
        "con@example.com,invalid",
        "dan@example.com,manual",
    )
    assert counts(here.load("email,suppressed\n" + "\n".join(rows) + "\n")) == (0, 0, 0, 0, 4, 0)
    with here.open() as session:
        stand = [(each.email[:3], each.list, each.reason) for each in suppressions.all(session)]
    assert sorted(stand) == [
        ("ada", "", "complaint"), ("bob", "", "hard_bounce"), ("bob", "weekly", "complaint"), ("con", "", "manual"),
    ]  # fmt: skip


def test_bad_rows_are_named_and_the_rest_goes_on(here: Desk) -> None:
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
    result = here.load(text)
    assert counts(result) == (2, 0, 0, 9, 0, 0)
    assert [(reject.line, reject.value) for reject in result.first_rejects] == [
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
    assert result.first_rejects[6].reason == "line 2 already names this address"
    reasons = " | ".join(reject.reason for reject in result.first_rejects)
    for says in ("no address", "a country is a code", "line break", "3 values under 5 columns", "no CSV"):
        assert says in reasons


def test_a_second_row_of_an_address_names_the_first_in_whatever_chunk_it_stands(
    here: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "SIZE", 10)
    result = here.load(many(25) + "R3@C3.example,,,,\nnew@example.com,,,,\nR24@c6.example,,,,\n")
    assert counts(result) == (26, 0, 0, 2, 0, 0)
    assert [(each.line, each.reason) for each in result.first_rejects] == [
        (27, "line 5 already names this address"), (29, "line 26 already names this address"),
    ]  # fmt: skip


def test_rejects_are_written_as_csv_that_no_spreadsheet_runs(here: Desk, tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    path.write_text("what was there before")
    result = here.load('email\n"=cmd|\'/c calc\'!A1"\n"a""b\nc"\nada@example.com\n', rejects=path)
    assert counts(result) == (1, 0, 0, 2, 0, 0)
    lines = path.read_bytes().decode().split("\r\n")
    assert lines[0] == "line,value,reason"
    assert lines[1].startswith("2,'=cmd|'/c calc'!A1,no address")
    assert lines[2].startswith('3,"a""b\nc",no address')
    assert here.load("email\nx\n", rejects=path, dry_run=True).rejected == 1
    assert path.read_bytes().count(b"\r\n") == 2


def test_rejects_that_cannot_be_written_are_refused_before_anything_is(here: Desk, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="name another file"):
        here.load(HEAD + "ada@example.com,,,,\n", rejects=tmp_path / "gone" / "rejects.csv")
    assert here.stored() == (0, 0, 0, 0)


def test_a_dry_run_says_the_same_and_leaves_nothing(here: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "SIZE", 20)
    text = many(50).replace("plan", "size") + "bad,,,,\nr0@c0.example,,,,\n"
    seen: list[tuple[int, int]] = []
    dry = here.load(text, dry_run=True, declare=True, progress=lambda done, rows: seen.append((done, rows)))
    assert (here.stored(), seen) == ((0, 0, 0, 0), [(20, 52), (40, 52), (52, 52)])
    with here.open() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM topic").scalar() == 0
        assert session.connection().exec_driver_sql("SELECT count(*) FROM attribute").scalar() == 1
    assert here.load(text, declare=True) == dry
    assert counts(dry) == (50, 0, 0, 2, 0, 0)


def test_undeclared_columns_are_refused_all_at_once_with_the_ways_on(here: Desk) -> None:
    text = "email,Company Size,plan,Note\nada@example.com,3,pro,x\n"
    with pytest.raises(BadRow) as caught:
        here.load(text)
    for says in ("the attributes company_size, note", "attributes add company_size --type str", "--declare",
                 "--map 'Company Size=-'"):  # fmt: skip
        assert says in str(caught.value)
    assert here.stored() == (0, 0, 0, 0)
    here.load(text, columns=["Company Size=-", "note=-"])
    assert here.find("ada@example.com").attributes == {"plan": "pro"}
    here.load(text, declare=True)
    assert here.find("ada@example.com").attributes == {"plan": "pro", "company_size": "3", "note": "x"}


def test_the_keys_of_an_object_of_attributes_are_held_to_the_same(here: Desk) -> None:
    text = 'email,attributes\nada@example.com,"{""plan"": ""pro"", ""Home Town"": ""Port Ellen"", ""tags"": [1]}"\n'
    with pytest.raises(BadRow, match="the attributes home_town, tags"):
        here.load(text)
    here.load(text, columns=["tags=-"], declare=True)
    assert here.find("ada@example.com").attributes == {"plan": "pro", "home_town": "Port Ellen"}
    assert here.load('email,attributes\nada@example.com,"{nothing"\n').rejected == 1


def test_rows_may_name_their_lists(here: Desk) -> None:
    text = "email,lists\nada@example.com,weekly;alerts=pending\nbob@example.com,\ncyd@example.com,weakly\n"
    result = here.load(text, lists=[])
    assert counts(result) == (2, 0, 0, 1, 0, 0)
    assert "did you mean weekly?" in result.first_rejects[0].reason
    ada, bob = here.everybody()
    assert (ada.subscriptions, bob.subscriptions) == ({"alerts": "pending", "weekly": "confirmed"}, {})


def test_an_import_needs_a_file_and_a_list(here: Desk, tmp_path: Path) -> None:
    with pytest.raises(BadRow, match=r"gone\.csv cannot be read"):
        here.load(tmp_path / "gone.csv")
    with pytest.raises(NotFound, match="no list 'weakly'"):
        here.load(HEAD, lists=["weakly"])
    with pytest.raises(Refused, match="no list is named"):
        here.load(HEAD, lists=[])


def test_a_file_that_goes_bad_late_writes_nothing(here: Desk) -> None:
    with pytest.raises(BadRow, match="UTF-8"):
        here.load(many(500).encode() + b"\xff\xfe\n")
    assert here.stored() == (0, 0, 0, 0)


def test_flags_tell_of_offices_throwaway_domains_and_local_parts_outside_ascii(here: Desk) -> None:
    here.load(
        "email\ninfo+news@example.com\nada@mailinator.com\nada@sub.mailinator.com\njürgen@example.com\na@exämple.de\n"
    )
    found = {each.email: (each.role_account, each.disposable, each.smtputf8) for each in here.everybody()}
    assert found == {
        "info+news@example.com": (True, False, False), "ada@mailinator.com": (False, True, False),
        "ada@sub.mailinator.com": (False, True, False), "jürgen@example.com": (False, False, True),
        "a@exämple.de": (False, False, False),
    }  # fmt: skip


def test_what_came_of_an_import_is_kept_and_recorded_with_its_end(here: Desk) -> None:
    told = []
    result = here.load(many(3) + "bad,,,,\n", record=lambda session, result: told.append(result))
    assert told == [result]
    with here.open() as session:
        [run] = session.scalars(select(ImportRun))
    assert (run.file, run.actor, run.rows, run.done) == ("people.csv", "mara", 4, 4)
    assert run.finished_at is not None
    assert (run.counts["added"], run.counts["rejected"]) == (3, 1)
    assert "@" not in str(run.terms)
