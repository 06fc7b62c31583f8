"""The journal: what a dead sender leaves behind."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery import journal
from newsletter.delivery.journal import Journal
from newsletter.delivery.replies import Fault, Kind, Outcome
from newsletter.errors import DatabaseError

SENT = Outcome(Kind.SENT, 250, "2.0.0 Ok: queued as 4F2")


def test_what_was_written_is_told(tmp_path: Path) -> None:
    book = Journal(tmp_path / "journal", 3, fence=2, batch=7)
    book.began(1)
    book.done(1, SENT)
    book.began(2)
    book.done(3, Outcome(Kind.FAILED, 550, "5.1.1 nobody\nof that name — ever", Fault.ADDRESS))
    told = journal.read(tmp_path / "journal", 3, fence=2, batch=7)
    assert told.whole
    assert told.begun == {1, 2}
    assert told.done[1] == SENT
    assert told.done[3] == Outcome(Kind.FAILED, 550, "5.1.1 nobody\nof that name — ever", Fault.ADDRESS)
    assert 2 not in told.done


@given(st.text(max_size=200), st.sampled_from(list(Kind)), st.sampled_from([None, *Fault]), st.integers(0, 599))
def test_any_reply_fits_a_line(
    tmp_path_factory: pytest.TempPathFactory, text: str, kind: Kind, fault: Fault | None, code: int
) -> None:
    folder = tmp_path_factory.getbasetemp() / "journals"
    book = Journal(folder, 1, fence=1, batch=7)
    outcome = Outcome(kind, code, text.encode("utf-8", "replace").decode(), fault)
    book.done(7, outcome)
    book.close()
    assert journal.read(folder, 1, fence=1, batch=7).done == {7: outcome}


def test_a_journal_tells_whose_reply_it_was_and_one_of_an_earlier_version_still_reads(tmp_path: Path) -> None:
    book = Journal(tmp_path, 3, fence=1, batch=7)
    book.done(1, SENT, "main-2")
    book.done(2, SENT)
    book.done(3, SENT, "main-2")
    book.began(3)
    book._write(b"done 4 relay_refused mailbox_full 552 4.2.2 full\n")
    told = journal.read(tmp_path, 3, fence=1, batch=7)
    assert {key: told.relays.get(key, "") for key in told.done} == {1: "main-2", 2: "", 4: ""}
    assert told.done[4] == Outcome(Kind.RELAY_REFUSED, 552, "4.2.2 full", Fault.MAILBOX_FULL)


def test_a_torn_last_line_is_as_if_it_had_not_been_written(tmp_path: Path) -> None:
    book = Journal(tmp_path, 3, fence=1, batch=7)
    for key in (1, 2):
        book.began(key)
        book.done(key, SENT)
    whole = book.path.read_bytes().rstrip(b"\0")  # the rest is room for more
    for cut in range(len(whole)):
        book.path.write_bytes(whole[:cut])
        told = journal.read(tmp_path, 3, fence=1, batch=7)
        lines = whole[:cut].split(b"\n")[:-1]
        assert len(told.begun) == sum(line.startswith(b"began") for line in lines)
        assert len(told.done) == sum(line.startswith(b"done") for line in lines)
        assert told.whole is bool(lines)


def test_a_journal_from_before_the_machine_started_is_not_taken_for_complete(tmp_path: Path) -> None:
    book = Journal(tmp_path, 3, fence=1, batch=7)
    book.began(1)
    lines = book.path.read_bytes().split(b"\n")
    book.path.write_bytes(b"\n".join([b"boot 00000000-0000-0000-0000-000000000000", *lines[1:]]) + b"\0\0\0\n\0")
    told = journal.read(tmp_path, 3, fence=1, batch=7)
    assert told.begun == {1}
    assert not told.whole


def test_a_missing_journal_tells_nothing(tmp_path: Path) -> None:
    told = journal.read(tmp_path, 3, fence=1, batch=7)
    assert (told.begun, told.done, told.whole) == (frozenset(), {}, False)


def test_what_began_and_surely_did_not_go_out_is_told_apart(tmp_path: Path) -> None:
    book = Journal(tmp_path, 3, fence=1, batch=7)
    for key in (1, 2):
        book.began(key)
    book.back(1)
    told = journal.read(tmp_path, 3, fence=1, batch=7)
    assert told.whole
    assert told.begun == {2}


def test_a_journal_grows_with_what_is_written(tmp_path: Path) -> None:
    book = Journal(tmp_path, 3, fence=1, batch=7)
    for key in range(1000):
        book.began(key)
        book.done(key, Outcome(Kind.DEFERRED, 451, f"4.3.0 {key} " + "x" * 200, Fault.TRANSIENT))
    told = journal.read(tmp_path, 3, fence=1, batch=7)
    assert told.begun == set(range(1000))
    assert told.done[999].text == "4.3.0 999 " + "x" * 200
    book.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file where the folder should be")
    with pytest.raises(DatabaseError, match="cannot be written: File exists"):
        Journal(tmp_path / "journal", 3, fence=1, batch=7)
    if Path("/dev/full").exists():
        book = Journal(tmp_path, 3, fence=1, batch=7)
        book.path.unlink()
        book.path.symlink_to("/dev/full")
        with pytest.raises(DatabaseError, match="No space left on device; nothing more was sent"):
            Journal(tmp_path, 3, fence=1, batch=7)


def test_the_journals_of_a_closed_issue_are_swept_away_and_no_others(tmp_path: Path) -> None:
    for issue, fence, batch in ((3, 1, 7), (3, 1, 8), (3, 2, 9), (33, 1, 3)):
        Journal(tmp_path, issue, fence=fence, batch=batch).close()
    journal.sweep(tmp_path, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["issue-33.1.3.log"]
