"""The press: the same words give the same bytes, and what was frozen is what is loaded."""

import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import lxml.html
import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select, update

from newsletter import audit, db, publication
from newsletter.editorial import approvals, briefings, people
from newsletter.editorial.document import Assistance, Document
from newsletter.errors import Blocked, NotFound, Refused, SettingsError
from newsletter.issues import issues, reports
from newsletter.issues.content import IssueContent
from newsletter.issues.issues import Words
from newsletter.issues.models import IssueState, Step
from newsletter.rendering import press, proof, references
from newsletter.rendering.models import Rendering
from newsletter.rendering.press import Rendered
from newsletter.rendering.slots import Slot
from newsletter.settings import Settings
from tests.rendering import samples
from tests.support.keys import KEYRING

LEAD = samples.CRANES
SECOND = replace(samples.COLD, what_happened="Prices fell.", what_to_watch_next="The insurers.", related_pin=(LEAD.id,))


def test_the_same_issue_gives_the_same_bytes(content: IssueContent, desk: Settings, rendered: Rendered) -> None:
    assert press.render(content, desk, samples.LINKS, dated=samples.DATED) == rendered


def test_another_process_gives_the_same_bytes_too(rendered: Rendered, tmp_path: Path) -> None:
    program = (
        "import hashlib, pathlib, sys; from tests.rendering import samples; from newsletter.rendering import press\n"
        "made = press.render(samples.issue(), samples.publication(pathlib.Path(sys.argv[1])), samples.LINKS, "
        "dated=samples.DATED)\nprint(made.sha256([]))"
    )
    run = [sys.executable, "-c", program, str(tmp_path / "other")]
    root = Path(__file__).parents[2]
    assert subprocess.run(run, capture_output=True, text=True, check=True, cwd=root).stdout.strip() == rendered.sha256(
        []
    )


def test_twelve_items_fit_gmail(desk: Settings) -> None:
    made = press.render(samples.issue(12), desk, samples.LINKS)
    assert len(made.html.encode()) < 90_000


def test_every_part_of_an_issue_stands_in_both_forms(content: IssueContent, rendered: Rendered) -> None:
    shown = proof.said(lxml.html.fromstring(rendered.html))
    plain = " ".join(rendered.text.split())
    for words in [
        "Monday, 2 November 2026 · Issue 12", "Good morning. This week is about things that are",
        "How Harbour Brief reports: outside sources lead us to stories",
        "You get this because [[email]] is subscribed to [[list_title]].", "Harbour Brief, 1 Quay Street, Port Ellen",
        "This briefing began from a discovered source item from Quayside Journal. It also draws on Grid Register.",
        "A person wrote this briefing; software polished the wording",
        "Shore power: what the first ten berths taught", "Read on the web", "Connections, third quarter",
    ]:  # fmt: skip
        assert words in shown
        assert words in plain
    for each in content.items:
        assert each.document.title in shown
        assert each.document.title in plain
        assert "What to watch next" not in shown
    for url in [samples.LINKS.online, samples.LINKS.standards, samples.LINKS.briefing("port-batteries")]:
        assert f'href="{url}"' in rendered.html
        assert url in rendered.text


def test_each_item_links_the_words_open_the_original_source(content: IssueContent, rendered: Rendered) -> None:
    links = [link for link in lxml.html.fromstring(rendered.html).iter("a") if link.text == "Open the original source"]
    assert [link.get("href") for link in links] == [each.document.sources[0].url for each in content.items]
    said = " ".join(rendered.text.split())
    for each in content.items:
        found = re.search(rf"{re.escape(each.document.sources[0].name)}\..*?Open the original source \[(\d+)\]\.", said)
        assert found
        assert references.read(rendered.text)[int(found[1])] == each.document.sources[0].url


def test_the_footer_credits_every_source_once(rendered: Rendered) -> None:
    hrefs = lxml.html.fromstring(rendered.html).xpath("//div[@class='colophon']//a/@href")
    assert isinstance(hrefs, list)
    assert hrefs.count("https://quayside.example/2026/cranes?from=a&to=b") == 1
    assert len(hrefs) == 4 + 4  # four sources; standards, preferences, unsubscribe, a word to the editors


def test_a_text_written_wholly_by_people_has_no_disclosure(desk: Settings) -> None:
    made = press.render(samples.one(replace(samples.COLD, assistance=Assistance.NONE)), desk, samples.LINKS)
    assert "software" not in made.html + made.text


def test_an_item_in_another_language_says_so(desk: Settings) -> None:
    made = press.render(samples.one(replace(samples.COLD, language="ar")), desk, samples.LINKS)
    title = next(iter(lxml.html.fromstring(made.html).iter("h2")))
    assert (title.get("lang"), title.get("dir")) == ("ar", "rtl")


def test_no_link_of_the_mail_leads_nowhere(rendered: Rendered) -> None:
    for link in lxml.html.fromstring(rendered.html).iter("a"):
        href = link.get("href", "")
        assert re.match(r"https://|\[\[(unsubscribe|preferences)_url\]\]$|mailto:editors@harbour\.example\?", href)


def test_a_word_to_the_editors_goes_where_answers_go_and_names_the_issue(desk: Settings) -> None:
    links = press.links(desk, 12, keyring=KEYRING)
    assert links.feedback == "editors@news.harbour.example"
    made = press.render(samples.issue(2), desk, links)
    assert 'href="mailto:editors@news.harbour.example?subject=Issue%2012"' in made.html
    assert "editors@news.harbour.example\n" in made.text
    assert "mailto:" not in press.render(samples.issue(2), desk, replace(links, feedback="")).html


def test_lines_of_text_end_before_the_edge_unless_a_link_needs_more(rendered: Rendered) -> None:
    assert all(len(line) <= 72 for line in rendered.text.split("\n") if "https://" not in line and "[[" not in line)
    assert all(line == line.rstrip() for line in rendered.text.split("\n"))
    assert "\n\n\n\n" not in rendered.text


@pytest.mark.parametrize(
    ("place", "content"),
    [
        ("issue 12, subject", samples.one(LEAD, subject="For [[email]]")),
        ("issue 12, introduction", samples.one(LEAD, intro="Dear [[list_title]]")),
        (f"briefing {LEAD.id}, title", samples.one(replace(LEAD, title="[[email]]"))),
        (f"briefing {LEAD.id}, key point 2", samples.one(replace(LEAD, key_points=("a", "b [[email]]", "c")))),
        (f"briefing {LEAD.id}, why it matters", samples.one(replace(LEAD, why_it_matters=r"\[[email]]"))),
        (f"briefing {LEAD.id}, buyer relevance", samples.one(replace(LEAD, buyer_relevance="[&#91;unsubscribe_url]]"))),
        (f"briefing {LEAD.id}, introduction", samples.one(replace(LEAD, introduction="**[**[email]]"))),
        (f"briefing {LEAD.id}, name of a source",
         samples.one(replace(LEAD, sources=(replace(LEAD.sources[0], name="[[email]]"),)))),
    ],
)  # fmt: skip
def test_a_text_that_would_read_as_a_slot_is_refused_with_its_place(
    desk: Settings, place: str, content: IssueContent
) -> None:
    with pytest.raises(Refused, match=re.escape(place)):
        press.render(content, desk, samples.LINKS)


def test_a_template_that_types_a_marker_is_told_how_to_write_it(desk: Settings, content: IssueContent) -> None:
    own = desk.path("templates") / "briefing" / "footer.mjml.j2"
    own.parent.mkdir(parents=True)
    own.write_text("<mj-section><mj-column><mj-text>[[email]]</mj-text></mj-column></mj-section>")
    with pytest.raises(Refused, match=re.escape("write {{ slots.email }}")):
        press.render(content, desk, samples.LINKS)


# -- freezing ---------------------------------------------------------------------------------------------------------


def composed(session: Session, settings: Settings, now: datetime, *documents: Document) -> int:
    """Return an issue of documents that were written by one person and approved by another."""
    for handle in ("ann", "ben"):
        people.add(session, handle, now=now)
    for document in documents:
        briefings.adopt(session, document, folder=settings.briefings, actor="ann", now=now)
        briefings.submit(session, document.id, actor="ann", now=now)
        approvals.approve(session, document.id, actor="ben", solo=False, now=now)
    picks = [document.id for document in documents]
    words = Words(subject="Cranes and loggers", preheader="Two stories", intro="Good *morning*.")
    return issues.compose(session, picks, words=words, actor="ann", now=now).id


def freeze(session: Session, issue: int, settings: Settings, now: datetime) -> str:
    """Freeze the issue as the command would."""
    return press.freeze(session, issue, settings, keyring=publication.keyring(settings), actor="ben", now=now)


def test_freezing_stores_the_rendering_under_its_hash_and_fixes_the_issue(
    engine: Engine, settings: Settings, now: datetime
) -> None:
    with db.transaction(engine) as session:
        issue = composed(session, settings, now, LEAD, SECOND)
        sha256 = freeze(session, issue, settings, now)
    with db.reading(engine) as session:
        row = session.exec(select(Rendering)).one()
        view = issues.get(session, issue)
        assert (row.sha256, row.issue_id, row.at) == (sha256, issue, now)
        assert (view.state, view.rendering) == (IssueState.FROZEN, sha256)
        assert [(each["briefing"], each["sha256"]) for each in row.manifest] == [
            (name, approvals.require(session, name).sha256) for name in (LEAD.id, SECOND.id)
        ]
        (report,) = reports.all(session, issue)
        assert (report.step, report.texts) == (Step.FREEZE, {each["briefing"]: each["report"] for each in row.manifest})
        loaded = press.load(session, issue)
        assert (loaded.html, loaded.text, loaded.subject) == (row.html, row.text, "Cranes and loggers")
        assert "Monday, 2 November 2026" in loaded.text
        assert all(slot.marker in loaded.html and slot.marker in loaded.text for slot in set(Slot) - {Slot.CLICK_URL})
        assert [entry.action for entry in audit.entries(session, "issue", issue)] == ["composed", "frozen"]


def test_a_stored_rendering_that_was_altered_in_any_column_is_refused(
    engine: Engine, settings: Settings, now: datetime
) -> None:
    with db.transaction(engine) as session:
        issue = composed(session, settings, now, LEAD)
        freeze(session, issue, settings, now)
        picks = [approved(session, settings, now).id]
        other = issues.compose(session, picks, words=Words(), actor="ann", now=now).id
        row = session.exec(select(Rendering)).one()
        texts = {name: f"{getattr(row, name)} " for name in ("subject", "preheader", "html", "text", "theme")}
        changes = {**texts, "manifest": [*row.manifest, {"briefing": "other"}], "issue_id": other}
        for column, altered in changes.items():
            savepoint = session.begin_nested()
            session.execute(update(Rendering).where(col(Rendering.issue_id) == issue).values({column: altered}))
            with pytest.raises(Refused, match="its hash differs"):
                press.load(session, issue)
            savepoint.rollback()
        assert press.load(session, issue).subject == "Cranes and loggers"


def approved(session: Session, settings: Settings, now: datetime) -> Document:
    """Return a further approved document."""
    briefings.adopt(session, SECOND, folder=settings.briefings, actor="ann", now=now)
    briefings.submit(session, SECOND.id, actor="ann", now=now)
    approvals.approve(session, SECOND.id, actor="ben", solo=False, now=now)
    return SECOND


def test_an_edit_after_composing_keeps_the_issue_from_freezing(
    engine: Engine, settings: Settings, now: datetime
) -> None:
    with db.transaction(engine) as session:
        issue = composed(session, settings, now, LEAD)
        path = settings.briefings / f"{LEAD.id}.md"
        path.write_text(path.read_text("utf-8").replace("Four mid-sized ports", "Five mid-sized ports"), "utf-8")
        briefings.refresh(session, settings.briefings, actor="ann", now=now)
        with pytest.raises(Refused, match=LEAD.id):
            freeze(session, issue, settings, now)
        assert session.exec(select(Rendering)).all() == []


def test_what_the_checks_block_is_not_frozen(engine: Engine, settings: Settings, now: datetime) -> None:
    settings = samples.retell(settings, "Harbour Brief, 1 Quay Street, Port Ellen", "")
    with db.transaction(engine) as session:
        issue = composed(session, settings, now, LEAD)
        with pytest.raises(Blocked, match="postal_address") as caught:
            freeze(session, issue, settings, now)
        assert len(caught.value.findings) == 1
        assert issues.get(session, issue).state is IssueState.ASSEMBLING
        assert session.exec(select(Rendering)).all() == []


def test_a_frozen_issue_is_not_frozen_twice(engine: Engine, settings: Settings, now: datetime) -> None:
    with db.transaction(engine) as session:
        issue = composed(session, settings, now, LEAD)
        freeze(session, issue, settings, now)
        with pytest.raises(Refused, match="frozen"):
            freeze(session, issue, settings, now)


def test_an_issue_that_is_not_frozen_has_nothing_to_load(engine: Engine, settings: Settings, now: datetime) -> None:
    with db.transaction(engine) as session:
        issue = composed(session, settings, now, LEAD)
        with pytest.raises(Refused, match=f"newsletter issues freeze {issue}"):
            press.load(session, issue)
        with pytest.raises(NotFound):
            press.load(session, issue + 1)


def test_freezing_without_a_public_address_says_which_setting_is_missing(
    engine: Engine, settings: Settings, now: datetime
) -> None:
    settings = samples.retell(settings, 'public_url = "https://news.harbour.example"', "")
    with db.transaction(engine) as session:
        issue = composed(session, settings, now, LEAD)
        with pytest.raises(SettingsError, match=r"public_url in \[publication\]"):
            freeze(session, issue, settings, now)
