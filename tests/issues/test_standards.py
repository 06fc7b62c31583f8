"""The standards of an issue as a whole, and the reports that are kept on it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from newsletter import audit, db
from newsletter.demo import samples
from newsletter.editorial import decisions, format, people, related
from newsletter.editorial import reports as texts
from newsletter.editorial.document import Citation, Document
from newsletter.editorial.gate import Severity
from newsletter.errors import Blocked
from newsletter.issues import contents, issues, reports, standards
from newsletter.issues.content import IssueContent, ItemContent, Related
from newsletter.issues.issues import Words
from newsletter.issues.models import IssueState, Step
from tests.conftest import NOW
from tests.issues.conftest import Approve, approved
from tests.support.texts import briefing

STORIES = [format.parse(words, where=name) for name, words in samples.briefings(NOW)]


def content(documents: Sequence[Document], *related: Related) -> IssueContent:
    items = tuple(
        ItemContent(position=position, sha256="0" * 64, document=document, related=related)
        for position, document in enumerate(documents, start=1)
    )
    return IssueContent(id=1, subject="Six stories", preheader="", intro="", items=items)


def found(documents: Sequence[Document]) -> dict[str, str]:
    return {each.rule: each.message for each in standards.check(standards.Seen(content(documents)))}


def citing(document: Document, *hosts: str) -> Document:
    return replace(document, sources=tuple(Citation(name=host, url=f"https://{host}/a") for host in hosts))


def test_a_mixed_issue_of_different_stories_has_nothing_against_it() -> None:
    mixed = [citing(story, f"{number}.example") for number, story in enumerate(STORIES[:5])]
    assert found(mixed) == {}


@pytest.mark.parametrize(
    ("hosts", "told"),
    [
        (["a.example", "www.a.example", "b.example"], "a.example stands behind 2 of 3 items"),
        (["a.example", "a.example", "b.example", "c.example"], None),
        (["a.example", "a.example"], None),
        (["a.example", "a.example", "b.example", "b.example", "b.example"], "5 items have 2 sources"),
    ],
)
def test_one_source_may_not_stand_behind_most_of_an_issue(hosts: list[str], told: str | None) -> None:
    assert found([citing(story, host) for story, host in zip(STORIES, hosts, strict=False)]).get("M1") == told


def test_two_items_that_tell_one_story_are_named() -> None:
    again = replace(STORIES[0], id="again", title="The same once more", related_pin=())
    assert found([*STORIES[:2], again])["X2"].startswith(f"{STORIES[0].id} tells much the same as item 3, again (0.9")


def test_a_story_that_is_told_twice_keeps_the_issue_back_until_somebody_waives_it() -> None:
    texts = [format.parse(briefing(id, now=NOW, story="cranes"), where=id) for id in ("cranes", "ferries", "tugs")]
    others = [format.parse(briefing(f"other-{number}", now=NOW), where="other") for number in range(17)]
    seen = standards.Seen(content([*texts, *others]))
    twice = [each for each in standards.check(seen) if each.rule == "X2"]
    assert [each.where for each in twice] == ["items 1 and 2", "items 1 and 3", "items 2 and 3"]
    assert {each.severity for each in twice} == {Severity.BLOCK}
    pardoned = [each for each in standards.check(seen, waived={"X2": "ines: A series."}) if each.rule == "X2"]
    assert {(each.severity, each.waived) for each in pardoned} == {(Severity.INFO, "ines: A series.")}


def test_two_texts_are_weighed_as_if_there_were_no_others() -> None:
    for first, second, cosine in related.pairs(STORIES[:4]):
        pair = related.Corpus([("one", replace(STORIES[first], related_pin=())), ("other", STORIES[second])])
        assert [cosine] == [pytest.approx(each) for _, each, _ in pair.nearest("one", cutoff=0.0)]
    ((*two, cosine),) = related.pairs([STORIES[0], replace(STORIES[0], id="same")])
    assert two == [0, 1]
    assert cosine == pytest.approx(1.0)


def test_an_issue_is_read_in_twelve_minutes() -> None:
    assert "T3" not in found(STORIES[:6])
    assert found([*STORIES[:6], replace(STORIES[6], what_happened="word " * 2000)])["T3"].startswith("its items take ")


def test_a_related_briefing_that_is_gone_blocks() -> None:
    related = Related(briefing="dead", title="Dead", sha256="0" * 64, score=0.2)
    seen = standards.Seen(content(STORIES[:1], related), gone=frozenset({"dead"}))
    (finding,) = standards.check(seen)
    assert (finding.rule, finding.severity) == ("M2", Severity.BLOCK)
    assert standards.check(standards.Seen(seen.issue)) == []


def test_the_desk_makes_a_rule_graver() -> None:
    one_voice = content([citing(story, "a.example") for story in STORIES[:3]])
    (finding,) = standards.check(standards.Seen(one_voice), block=("M1",))
    assert finding.severity is Severity.BLOCK


def compose(session: Session, now: datetime, *picks: str) -> int:
    return issues.compose(session, picks, words=Words(), actor="mara", now=now).id


def freeze(session: Session, issue: int, now: datetime, *, block: tuple[str, ...] = ()) -> reports.Report:
    read = contents.read(session, issue, now=now)
    report = reports.run(session, read, Step.FREEZE, block=block, now=now)
    kept = reports.keep(session, report, texts={}, person="mara")
    contents.freeze(session, read, rendering="a" * 64, report=kept.id, actor="mara", now=now)
    return kept


def test_the_freeze_and_the_send_keep_a_report_each(session: Session, approve: Approve, now: datetime) -> None:
    issue = compose(session, now, *map(approve, ("cranes", "ferries", "tugs")))
    frozen = freeze(session, issue, now)
    contents.begin_sending(session, issue, actor="jonas", now=now)
    first, second = reports.all(session, issue)
    assert first == frozen
    assert (first.step, first.person, second.step, second.person) == (Step.FREEZE, "mara", Step.SEND, "jonas")
    assert {each.rule for each in second.findings} == {"M1"}
    assert [texts.of(session, name, second.texts[name]).person for name in ("cranes", "ferries")] == ["jonas"] * 2
    told = {entry.action: entry.detail.get("report") for entry in audit.entries(session, "issue", issue)}
    assert (told["frozen"], told["sending"]) == (first.id, second.id)


def test_what_was_made_graver_at_the_freeze_keeps_the_issue_from_being_sent(
    session: Session, approve: Approve, now: datetime
) -> None:
    issue = compose(session, now, *map(approve, ("cranes", "ferries", "tugs")))
    freeze(session, issue, now, block=("M1",))
    with pytest.raises(Blocked, match=r"cannot be sent;[^;]*\n  block M1"):
        contents.begin_sending(session, issue, actor="jonas", now=now)
    assert issues.get(session, issue).state is IssueState.FROZEN


def test_a_related_briefing_that_is_killed_after_the_freeze_keeps_the_issue_back(
    session: Session, approve: Approve, now: datetime
) -> None:
    approve("older"), approve("cranes")
    earlier = compose(session, now, "older")
    freeze(session, earlier, now)
    contents.begin_sending(session, earlier, actor="mara", now=now)
    issue = compose(session, now, "cranes")
    freeze(session, issue, now)
    assert contents.read(session, issue, now=now).items[0].related[0].briefing == "older"
    decisions.kill(session, "older", reason="The tender was withdrawn.", actor="jonas", now=now)
    with pytest.raises(Blocked, match="block M2 item 1: cranes: the related briefing older was withdrawn"):
        contents.begin_sending(session, issue, actor="mara", now=now)


def test_a_sender_writes_of_an_issue_that_another_looks_at(engine: Engine, tmp_path: Path, now: datetime) -> None:
    with db.transaction(engine) as session:
        for handle in ("mara", "jonas"):
            people.add(session, handle, now=now)
        issue = compose(session, now, approved(session, tmp_path, "cranes", at=now))
    with Session(engine) as looking:
        issues.verify(looking, issue, now=now)
        if engine.dialect.name == "postgresql":  # SQLite lets only one write at a time
            with Session(engine) as sending:
                sending.execute(text("SET LOCAL lock_timeout = '200ms'"))
                report = reports.run(sending, contents.read(sending, issue, now=now), Step.SEND, now=now)
                assert reports.keep(sending, report, texts={}, person="jonas").id
