"""The issue: composed, moved, read."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from newsletter import audit
from newsletter.editorial import briefings, format
from newsletter.editorial.models import BriefingState
from newsletter.errors import BadInput, NotFound, Refused
from newsletter.issues import choosing, contents, issues, proposing
from newsletter.issues.content import Terms
from newsletter.issues.issues import Words
from newsletter.issues.models import IssueState, Item, Unmatched
from subscribers import attributes
from subscribers.errors import BadValue
from tests.issues.conftest import Approve
from tests.support.texts import briefing


def compose(session: Session, now: datetime, *picks: str, words: Words | None = None) -> int:
    return issues.compose(session, picks, words=words or Words(), actor="mara", now=now).id


def test_an_issue_takes_the_picks_in_their_order_with_the_approved_hashes(
    session: Session, approve: Approve, now: datetime
) -> None:
    approve("cranes"), approve("ferries")
    issue = compose(session, now, "ferries", "cranes")
    rows = session.exec(select(Item).order_by(Item.position)).all()  # type: ignore[arg-type]
    assert [(row.briefing_id, row.sha256) for row in rows] == [
        (name, briefings.get(session, name).approved_sha256) for name in ("ferries", "cranes")
    ]
    assert issues.get(session, issue).items == ("ferries", "cranes")


def test_the_lead_proposes_subject_and_preheader(session: Session, approve: Approve, now: datetime) -> None:
    approve("cranes", title="Cranes go electric"), approve("ferries", title="Ferries follow")
    view = issues.get(session, compose(session, now, "cranes", "ferries"))
    begins = "The story of cranes begins with a tender that two harbours published together."
    assert (view.subject, view.preheader) == ("Cranes go electric", begins)


def test_a_long_proposal_is_cut_at_a_word() -> None:
    assert proposing.shorten("one two three four", 12) == "one two…"
    assert proposing.shorten("one two", 12) == "one two"
    assert proposing.shorten("港口起重机将改用电力", 12) == "港口起重机…"


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("Cranes go electric", "Cranes go electric"),
        ("Two harbours buy cranes together: what it means for every supplier", "Two harbours buy cranes together"),
        ("Ports: two harbours buy their new cranes together, for once", "Ports: two harbours buy their new cranes…"),
        ("Two harbours buy their new electric cranes together for once", "Two harbours buy their new electric cranes…"),
    ],
)
def test_a_proposed_subject_is_one_that_phones_show_whole(title: str, subject: str) -> None:
    document = format.parse(briefing("cranes", title=title), where="cranes")
    assert proposing.subject(document) == subject
    assert proposing.columns(subject) <= 50


def test_a_proposed_preheader_fills_the_line_with_whole_sentences_or_is_cut_at_a_word() -> None:
    document = format.parse(briefing("cranes"), where="cranes")
    for introduction, said in (
        ("It is done. Two harbours *bought* their [cranes](https://a.example) together. More later.",
         "It is done. Two harbours bought their cranes together."),
        ("word " * 40, "word " * 19 + "…"),
        ("Short.", "Short."),
    ):  # fmt: skip
        assert proposing.preheader(replace(document, introduction=introduction)) == said.replace(" …", "…")


def test_what_waits_is_approved_unheld_and_newest_first(session: Session, approve: Approve, now: datetime) -> None:
    approve("older", at=now - timedelta(days=3)), approve("newer", at=now - timedelta(days=1)), approve("taken")
    compose(session, now, "taken")
    assert choosing.choose(session, now=now).picks == ("newer", "older")
    assert choosing.choose(session, since=now - timedelta(days=2), now=now).picks == ("newer",)
    assert choosing.choose(session, topic="networks", now=now).picks == ("newer", "older")
    assert choosing.choose(session, topic="energy", now=now).picks == ()


def test_an_embargoed_briefing_waits_and_cannot_be_picked(session: Session, approve: Approve, now: datetime) -> None:
    approve("secret", extra=f"embargo: {(now + timedelta(hours=1)).isoformat()}\n")
    assert choosing.choose(session, now=now).picks == ()
    with pytest.raises(Refused, match="secret"):
        compose(session, now, "secret")
    assert choosing.choose(session, now=now + timedelta(hours=2)).picks == ("secret",)


def test_a_briefing_is_in_one_issue_until_that_is_cancelled(session: Session, approve: Approve, now: datetime) -> None:
    approve("cranes")
    first = compose(session, now, "cranes")
    with pytest.raises(Refused, match=f"already in issue {first}.*newsletter issues cancel {first}"):
        compose(session, now, "cranes")
    issues.cancel(session, first, actor="mara", now=now)
    assert compose(session, now, "cranes") == first + 1


@pytest.mark.parametrize("picks", [(), ("cranes", "cranes")])
def test_nothing_and_the_same_twice_make_no_issue(
    session: Session, approve: Approve, now: datetime, picks: tuple[str, ...]
) -> None:
    approve("cranes")
    with pytest.raises(Refused):
        compose(session, now, *picks)


@pytest.mark.parametrize("words", [Words(subject="a\nb"), Words(preheader="a\x00b"), Words(subject="a\r\nBcc: b")])
def test_a_line_break_cannot_reach_a_header(session: Session, approve: Approve, now: datetime, words: Words) -> None:
    approve("cranes")
    with pytest.raises(BadValue, match="line break or control character"):
        compose(session, now, "cranes", words=words)


def test_what_no_database_could_keep_is_refused_before_it_is_tried(
    session: Session, approve: Approve, now: datetime
) -> None:
    approve("cranes")
    for words, error in ((Words(subject="x" * 401), BadValue), (Words(preheader="x" * 401), BadValue),
                         (Words(intro="x" * 20_001), BadInput)):  # fmt: skip
        with pytest.raises(error, match="40[01]|20000"):
            compose(session, now, "cranes", words=words)


def test_an_edit_after_composing_is_seen_by_verify(
    session: Session, approve: Approve, now: datetime, tmp_path: Path
) -> None:
    approve("cranes"), approve("ferries")
    issue = compose(session, now, "cranes", "ferries")
    issues.verify(session, issue, now=now)
    file = tmp_path / "briefings" / "cranes.md"
    file.write_text(file.read_text("utf-8").replace("surprised", "pleased"), "utf-8")
    briefings.refresh(session, tmp_path / "briefings", actor="jonas", now=now)
    with pytest.raises(Refused, match="cranes is not approved: it was changed after jonas approved it"):
        issues.verify(session, issue, now=now)


def test_related_briefings_are_found_while_assembling_and_kept_when_frozen(
    session: Session, approve: Approve, now: datetime
) -> None:
    approve("cranes"), approve("ferries")
    issue = compose(session, now, "cranes")
    content = contents.read(session, issue, now=now)
    assert [each.briefing for each in content.items[0].related] == ["ferries"]
    contents.freeze(session, content, rendering="a" * 64, actor="mara", now=now)
    approve("tugs")
    assert contents.read(session, issue, now=now) == content


def test_an_issue_moves_only_along_its_states(session: Session, approve: Approve, now: datetime) -> None:
    approve("cranes")
    issue = compose(session, now, "cranes")
    with pytest.raises(Refused, match=f"assembling.*newsletter issues freeze {issue}"):
        contents.begin_sending(session, issue, actor="mara", now=now)
    contents.freeze(session, contents.read(session, issue, now=now), rendering="a" * 64, actor="mara", now=now)
    contents.begin_sending(session, issue, actor="mara", now=now)
    assert briefings.get(session, "cranes").state is BriefingState.SENT
    with pytest.raises(Refused):
        issues.cancel(session, issue, actor="mara", now=now)
    contents.pause(session, issue, reason="the relay rests")
    assert issues.get(session, issue).note == "the relay rests"
    contents.begin_sending(session, issue, actor="mara", now=now)
    contents.close(session, issue, actor="mara", now=now)
    assert issues.get(session, issue).state is IssueState.SENT
    with pytest.raises(Refused, match="already sent.*newsletter compose"):
        contents.begin_sending(session, issue, actor="mara", now=now)


def test_an_unknown_issue_is_told_with_the_newest(session: Session, approve: Approve, now: datetime) -> None:
    with pytest.raises(NotFound, match="no issue 7; make the first"):
        issues.get(session, 7)
    approve("cranes")
    compose(session, now, "cranes")
    with pytest.raises(NotFound, match="no issue 7; the newest is 1"):
        issues.get(session, 7)


def test_how_an_issue_differs_by_reader_is_kept_with_it(session: Session, approve: Approve, now: datetime) -> None:
    approve("cranes"), approve("ferries")
    terms = Terms(by_topic=True, by_audience=True, leads=2, unmatched=Unmatched.SKIP)
    view = issues.compose(session, ["cranes", "ferries"], words=Words(), terms=terms, actor="mara", now=now)
    assert issues.get(session, view.id).terms == contents.read(session, view.id, now=now).terms == terms
    asked = {"by_topic": True, "by_audience": True, "leads": 2, "unmatched": "skip"}
    assert asked.items() <= view.as_json().items()


@pytest.mark.parametrize("leads", [0, 2])
def test_no_more_items_lead_than_there_are(session: Session, approve: Approve, now: datetime, leads: int) -> None:
    approve("cranes")
    with pytest.raises(BadInput, match="--leads 1"):
        issues.compose(session, ["cranes"], words=Words(), terms=Terms(leads=leads), actor="mara", now=now)


def test_words_are_understood_when_an_issue_is_composed(session: Session, approve: Approve, now: datetime) -> None:
    approve("cranes")
    attributes.add(session, "plan", now=now)
    for words, said in (
        (Words(subject="{{ subscriber.attributes.plam }}"), r"the subject, column 1: .*did you mean plan"),
        (Words(preheader="To {{ subscriber.nmae }}"), r"the preheader, column 4: .*did you mean name"),
        (
            Words(intro="Hello\n{% if segment('vip') %}\nx\n{% endif %}"),
            r"the intro, line 2, column 1: .*no segment vip",
        ),
        (Words(subject="{{ subscriber.attributes.plan }}"), r"says nothing to a reader of whom nothing is known"),
    ):
        with pytest.raises(BadInput, match=said):
            compose(session, now, "cranes", words=words)
    issue = compose(session, now, "cranes", words=Words(preheader="{{ subscriber.attributes.plan }}"))
    assert issues.get(session, issue).preheader == "{{ subscriber.attributes.plan }}"


def test_an_issue_gets_other_words_and_terms_until_it_is_frozen(
    session: Session, approve: Approve, now: datetime
) -> None:
    approve("cranes"), approve("ferries")
    issue = compose(session, now, "cranes", "ferries", words=Words(subject="Old", intro="Hello."))

    def edit(**changes: object) -> issues.IssueView:
        return issues.edit(session, issue, changes=changes, actor="mara", now=now)

    view = edit(subject="{{ subscriber.name | default('New') }}", by_topic=True, leads=2)
    assert (view.subject, view.intro) == ("{{ subscriber.name | default('New') }}", "Hello.")
    assert view.terms == Terms(by_topic=True, leads=2)
    assert edit(intro="", by_topic=False).terms == Terms(leads=2)
    assert issues.get(session, issue).intro == ""
    for changes in ({"leads": 3}, {"subject": ""}, {"subject": "{{ x }}"}, {"preheader": "a\nb"}):
        with pytest.raises((BadInput, BadValue)):
            edit(**changes)
    assert [entry.action for entry in audit.entries(session, "issue", issue)] == ["composed", "edited", "edited"]
    contents.freeze(session, contents.read(session, issue, now=now), rendering="a" * 64, actor="mara", now=now)
    with pytest.raises(Refused, match="frozen"):
        edit(subject="Late")
