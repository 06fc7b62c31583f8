"""Briefings: taken from files, recorded as revisions, moved by their editors."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from newsletter import audit, db
from newsletter.editorial import approvals, briefings, edits, format
from newsletter.editorial.models import Briefing, BriefingState, Revision
from newsletter.errors import BadInput, Blocked, NotFound, Refused
from tests.editorial.conftest import Room, document


def approve(room: Room, actor: str = "jonas") -> None:
    approvals.approve(room.session, "memory-prices", actor=actor, solo=False, now=room.now)


def revisions(session: Session, id: str = "memory-prices") -> list[Revision]:
    return list(session.exec(select(Revision).where(Revision.briefing_id == id).order_by(col(Revision.number))))


def test_a_new_briefing_is_a_file_with_every_section_and_a_draft(session: Session, folder: Path, now: datetime) -> None:
    path = briefings.new(session, "first-one", title="A first one", folder=folder, author="mara", now=now)
    assert path == folder / "first-one.md"
    text = path.read_text("utf-8")
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# A first one", "## Key points", "## What happened", "## Why it matters", "## Buyer relevance",
        "## What to watch next",
    ]  # fmt: skip
    standing = briefings.get(session, "first-one")
    assert (standing.state, standing.revision, standing.author) == (BriefingState.DRAFT, 1, "mara")
    assert [entry.action for entry in briefings.history(session, "first-one")] == ["begun"]
    assert briefings.refresh(session, folder, actor="jonas", now=now) == []
    assert len(revisions(session, "first-one")) == 1


@pytest.mark.parametrize("id", ["../outside", "With Space", "ab", "UPPER", "-x-", ""])
def test_an_id_that_could_lead_elsewhere_is_refused(session: Session, folder: Path, now: datetime, id: str) -> None:
    with pytest.raises(BadInput, match="cannot be a briefing's id"):
        briefings.new(session, id, folder=folder, author="mara", now=now)
    assert briefings.refresh(session, folder, actor="mara", now=now, only=[id]) == []
    assert list(folder.parent.rglob("*.md")) == []


def test_a_new_briefing_refuses_a_known_id_and_a_title_of_two_lines(room: Room) -> None:
    with pytest.raises(Refused, match="memory-prices is there already"):
        briefings.new(room.session, "memory-prices", folder=room.folder, author="mara", now=room.now)
    with pytest.raises(BadInput):
        briefings.new(room.session, "other-one", title="One\n# Two", folder=room.folder, author="mara", now=room.now)
    assert not room.path("other-one").exists()


def test_an_imported_file_is_copied_byte_for_byte(
    session: Session, folder: Path, now: datetime, tmp_path: Path
) -> None:
    given = tmp_path / "draft from mara.md"
    data = b"\xef\xbb\xbf" + format.dump(document()).replace("\n", "\r\n").encode()
    given.write_bytes(data)
    standing = briefings.import_file(session, given, folder=folder, actor="mara", now=now)
    assert (folder / "memory-prices.md").read_bytes() == data
    assert (standing.document, standing.state) == (document(), BriefingState.DRAFT)
    assert standing.sha256 == format.sha256(document())
    again = briefings.import_file(session, given, folder=folder, actor="mara", now=now)
    assert again == standing
    assert len(revisions(session)) == 1
    assert [entry.action for entry in briefings.history(session, "memory-prices")] == ["imported"]


def test_an_import_does_not_overwrite_other_words(room: Room, tmp_path: Path) -> None:
    before = room.path().read_bytes()
    given = tmp_path / "other.md"
    given.write_text(format.dump(document(title="Other words")), "utf-8")
    with pytest.raises(Refused, match="is there already with other words"):
        briefings.import_file(room.session, given, folder=room.folder, actor="jonas", now=room.now)
    assert room.path().read_bytes() == before
    assert room.get().state == BriefingState.IN_REVIEW


def test_a_refused_command_leaves_no_file_behind(engine: Engine, folder: Path, now: datetime, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    good.write_text(format.dump(document()), "utf-8")
    bad.write_text("no briefing", "utf-8")

    def take_both() -> None:
        with db.transaction(engine) as session:
            for path in (good, bad):
                briefings.import_file(session, path, folder=folder, actor="mara", now=now)

    with pytest.raises(BadInput, match=r"bad\.md:1: "):
        take_both()
    assert list(folder.iterdir()) == []
    with db.transaction(engine) as session:
        assert briefings.all(session) == []
        briefings.import_file(session, good, folder=folder, actor="mara", now=now)
    assert [path.name for path in folder.iterdir()] == ["memory-prices.md"]


def test_a_missing_file_and_an_unwritable_folder_are_refused(session: Session, now: datetime, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        briefings.import_file(session, tmp_path / "none.md", folder=tmp_path, actor="mara", now=now)
    blocked = tmp_path / "a file"
    blocked.touch()
    with pytest.raises(Refused, match="cannot be written"):
        briefings.new(session, "first-one", folder=blocked / "briefings", author="mara", now=now)
    assert briefings.all(session) == []


def test_a_page_s_document_is_adopted_by_who_takes_it_in(session: Session, folder: Path, now: datetime) -> None:
    page = document(author="", title="")
    standing = briefings.adopt(session, page, folder=folder, actor="jonas", now=now)
    assert (standing.author, standing.state) == ("jonas", BriefingState.DRAFT)
    assert format.parse((folder / "memory-prices.md").read_text("utf-8"), where="the file") == standing.document


def test_an_unknown_file_becomes_a_draft(session: Session, folder: Path, now: datetime) -> None:
    (folder / "memory-prices.md").write_text(format.dump(document()), "utf-8")
    assert briefings.refresh(session, folder, actor="ines", now=now) == []
    assert briefings.get(session, "memory-prices").state == BriefingState.DRAFT
    entry = briefings.history(session, "memory-prices")[0]
    assert (entry.actor, entry.action) == ("ines", "found")
    assert entry.summary == f"revision 1, {format.sha256(document())[:12]}"


def test_an_edit_makes_a_revision_and_a_draft_and_voids_the_approval(room: Room) -> None:
    approve(room)
    first = room.get()
    assert (first.state, first.approved_by, first.approved_sha256) == (BriefingState.APPROVED, ("jonas",), first.sha256)
    edited = room.write(title="A better title")
    assert room.refresh(actor="ines") == []
    standing = room.get()
    assert (standing.state, standing.revision, standing.title) == (BriefingState.DRAFT, 2, "A better title")
    assert (standing.approved_by, standing.approved_sha256) == ((), "")
    assert approvals.standing(room.session, "memory-prices") is None
    assert [(row.number, row.sha256, row.actor) for row in revisions(room.session)] == [
        (1, first.sha256, "mara"), (2, format.sha256(edited), "ines"),
    ]  # fmt: skip
    assert room.actions()[-2:] == [("ines", "voided"), ("ines", "edited")]
    voided = briefings.history(room.session, "memory-prices")[-2]
    assert "the approval by jonas no longer holds; the text was edited" in voided.summary


def test_putting_the_old_words_back_does_not_bring_the_approval_back(room: Room) -> None:
    approve(room)
    approved = room.get()
    before = room.path().read_bytes()
    room.write(title="A better title")
    room.refresh()
    room.path().write_bytes(before)
    room.refresh()
    standing = room.get()
    assert (standing.sha256, standing.revision) == (approved.sha256, 3)
    assert (standing.state, standing.approved_by) == (BriefingState.DRAFT, ())
    with pytest.raises(Refused, match="its file was changed after jonas approved it"):
        approvals.require(room.session, "memory-prices")


def test_another_spelling_of_the_same_words_is_no_edit(room: Room) -> None:
    approve(room)
    room.path().write_bytes(b"\xef\xbb\xbf" + room.path().read_bytes().replace(b"\n", b" \r\n"))
    assert room.refresh() == []
    assert room.get().state == BriefingState.APPROVED
    assert len(revisions(room.session)) == 1


def test_a_file_that_no_longer_reads_is_a_problem_and_voids_the_approval(room: Room) -> None:
    approve(room)
    good = room.path().read_bytes()
    room.path().write_bytes(good.replace(b"label: briefing", b"label: gossip"))
    (problem,) = room.refresh()
    assert problem.id == "memory-prices"
    assert problem.message.startswith(f"{room.path()}:6: label is 'gossip'")
    assert room.get().state == BriefingState.DRAFT
    assert room.actions()[-1] == ("mara", "voided")
    room.path().write_bytes(good)
    assert room.refresh() == []
    assert (room.get().state, room.get().approved_by) == (BriefingState.DRAFT, ())


def test_a_file_with_another_id_or_no_text_is_a_problem(room: Room) -> None:
    room.path("misnamed-one").write_text(format.dump(document(id="other-name")), "utf-8")
    room.path("notes").write_bytes(b"buy milk\n")
    room.path("picture").write_bytes(b"\xff\xd8\xff")
    messages = {problem.id: problem.message for problem in room.refresh()}
    assert set(messages) == {"misnamed-one", "notes", "picture"}
    assert "call the file other-name.md" in messages["misnamed-one"]
    assert "notes.md:1: the file does not begin with front matter" in messages["notes"]
    assert "picture.md:1: the file is not UTF-8" in messages["picture"]
    assert [standing.id for standing in briefings.all(room.session)] == ["memory-prices"]


def test_only_the_named_files_are_looked_at(room: Room) -> None:
    room.write(id="second-one")
    room.path("broken").write_text("no briefing", "utf-8")
    found = briefings.refresh(room.session, room.folder, actor="mara", now=room.now, only=["second-one", "not-there"])
    assert found == []
    assert [standing.id for standing in briefings.all(room.session)] == ["memory-prices", "second-one"]


def test_a_deleted_file_changes_nothing(room: Room) -> None:
    approve(room)
    room.path().unlink()
    assert room.refresh() == []
    assert room.get().state == BriefingState.APPROVED
    assert briefings.text_at(room.session, "memory-prices", room.get().sha256) == document()


def test_a_sent_briefing_takes_no_edit(room: Room) -> None:
    approve(room)
    briefings.mark_sent(room.session, ["memory-prices"], issue_id=7, actor="ines", now=room.now)
    sent = room.get()
    assert (sent.state, sent.approved_by) == (BriefingState.SENT, ("jonas",))
    room.write(title="A better title")
    (problem,) = room.refresh()
    assert "already sent" in problem.message
    room.path().write_text("rubbish", "utf-8")
    assert len(room.refresh()) == 1
    assert room.get() == sent
    assert len(revisions(room.session)) == 1
    assert room.actions()[-1] == ("ines", "sent")
    assert briefings.history(room.session, "memory-prices")[-1].summary.startswith("in issue 7; report ")


def test_a_briefing_sent_again_stays_sent_and_the_record_has_both(room: Room) -> None:
    approve(room)
    for issue in (7, 8):
        briefings.mark_sent(room.session, ["memory-prices"], issue_id=issue, actor="ines", now=room.now)
    assert [entry.detail["issue"] for entry in briefings.history(room.session, "memory-prices")[-2:]] == [7, 8]


def test_what_is_not_approved_cannot_be_marked_as_sent(room: Room) -> None:
    with pytest.raises(Refused, match="is in review"):
        briefings.mark_sent(room.session, ["memory-prices"], issue_id=7, actor="ines", now=room.now)


def test_a_draft_that_the_gate_blocks_is_not_submitted(room: Room) -> None:
    room.write(sources=(), embargo=room.now + timedelta(days=1))
    room.refresh()
    with pytest.raises(Blocked) as caught:
        room.submit()
    assert [getattr(finding, "rule", "") for finding in caught.value.findings] == ["A1"]
    assert "block A1 sources: no source is named" in str(caught.value)
    assert room.get().state == BriefingState.DRAFT


def test_only_a_draft_is_submitted_and_the_refusal_says_the_way_on(room: Room) -> None:
    with pytest.raises(Refused, match="in review; another person approves it: newsletter briefings approve memory-pri"):
        room.submit()
    approve(room)
    with pytest.raises(
        Refused, match="approved already; put it into an issue: newsletter compose --pick memory-prices"
    ):
        room.submit()


def test_strangers_neither_submit_nor_sign(room: Room) -> None:
    room.write(author="mora")
    room.refresh()
    with pytest.raises(NotFound, match="nobody here is called 'mora'"):
        room.submit()
    room.write(title="By mara")
    room.refresh()
    with pytest.raises(NotFound, match="nobody here is called 'root'"):
        room.submit(actor="root")
    assert room.get().state == BriefingState.DRAFT


def test_briefings_are_listed_by_state(room: Room) -> None:
    room.write(id="a-draft")
    room.refresh()
    assert [standing.id for standing in briefings.all(room.session)] == ["a-draft", "memory-prices"]
    assert [each.id for each in briefings.all(room.session, state=BriefingState.IN_REVIEW)] == ["memory-prices"]


def test_an_unknown_briefing_is_not_found_and_a_near_one_named(room: Room) -> None:
    with pytest.raises(NotFound, match=r"did you mean memory-prices\?"):
        room.get("memory-price")


def test_every_text_that_approvals_named_can_be_read_again(room: Room) -> None:
    first = room.get().sha256
    second = format.sha256(room.write(title="A better title"))
    room.refresh()
    assert briefings.text_at(room.session, "memory-prices", first) == document()
    assert briefings.text_at(room.session, "memory-prices", second).title == "A better title"
    with pytest.raises(NotFound, match="never had a text"):
        briefings.text_at(room.session, "memory-prices", "0" * 64)


def test_a_stored_text_changed_behind_the_desk_s_back_is_refused(room: Room) -> None:
    approve(room)
    (row,) = revisions(room.session)
    row.text = row.text.replace("three-year", "ten-year")
    room.session.add(row)
    room.session.flush()
    with pytest.raises(Refused, match="changed by another hand"):
        approvals.require(room.session, "memory-prices")


def test_two_commands_that_find_one_file_make_one_briefing(room: Room) -> None:
    made = document(id="found-twice")
    for _ in range(2):
        edits.register(room.session, made, format.dump(made), "found", actor="mara", now=room.now)
    assert len(revisions(room.session, "found-twice")) == 1
    assert room.session.get_one(Briefing, "found-twice").revision == 1


def test_the_record_of_it_all_is_one_chain(room: Room) -> None:
    approve(room)
    room.write(title="A better title")
    room.refresh()
    room.submit()
    approve(room)
    assert [action for _, action in room.actions()] == [
        "found", "submitted", "approved", "voided", "edited", "submitted", "approved",
    ]  # fmt: skip
    assert audit.verify(room.session) == 3 + 7  # three people were added first
