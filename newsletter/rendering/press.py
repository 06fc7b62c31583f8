"""The press: an issue set once, checked, and fixed by the hash of what it says."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from newsletter.editorial import briefings
from newsletter.errors import Blocked, Refused
from newsletter.issues import contents, issues, reports
from newsletter.issues.content import IssueContent
from newsletter.issues.expressions import Known
from newsletter.issues.models import Step
from newsletter.rendering import checks, inline, layout, mjml, templates, tracked
from newsletter.rendering.marks import Marks
from newsletter.rendering.models import Rendering
from newsletter.rendering.personal import Personal
from newsletter.rendering.rendered import Links as Links
from newsletter.rendering.rendered import Rendered as Rendered
from newsletter.rendering.rendered import links as links
from newsletter.rendering.slots import strip_controls
from newsletter.rendering.templates import Theme
from newsletter.settings import Settings
from subscribers.tokens import Keyring


def render(
    content: IssueContent, settings: Settings, links: Links, *, dated: date | None = None, known: Known | None = None
) -> Rendered:
    """Return the issue as its readers get it; the same input gives the same bytes. `dated` is the day it shows.

    With `known` an expression may name only what there is.
    """
    theme, marks = templates.theme(settings), Marks(content, known)
    values = layout.values(content, settings, links, dated=dated, marks=marks)
    conditions = layout.conditions(values["items"])
    kind = "correction" if content.correction else "issue"
    html = _html(theme, f"{kind}.mjml.j2", values)
    marks.require(conditions, f"{kind}.mjml.j2")
    text = strip_controls(theme.render(f"{kind}.txt.j2", values))
    marks.require(conditions, f"{kind}.txt.j2")
    layout.refuse_found_markers(html + text, content, settings)
    html, text = marks.html(html), marks.text(text, tidy)
    said = layout.said(content, marks)
    return Rendered(
        subject=marks.line(said["subject"]),
        preheader=marks.line(said["preheader"]),
        html=html,
        text=text,
        theme=theme.name,
        alternatives=tuple(marks.line(each) for each in layout.alternatives(content, marks)),
        personal=marks.definitions(),
    )


def _html(theme: Theme, file: str, values: dict[str, object]) -> str:
    source = mjml.prepare(theme.render(file, values))
    html = mjml.to_html(source, theme.place(file, values, mjml.prepare))
    return inline.inline(html, theme.render("inline.css", values), theme.place("inline.css", values))


def tidy(text: str) -> str:
    """Return plain text without blanks at the ends of its lines, and with at most two empty lines in a row."""
    *lines, last = text.split("\n")
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join([*(line.rstrip() for line in lines), last]))


def freeze(session: Session, issue_id: int, settings: Settings, *, keyring: Keyring, actor: str, now: datetime) -> str:
    """Fix the issue: render what is approved, check it, store it, and return its hash. Refused when anything blocks."""
    issues.verify(session, issue_id, now=now)
    content = contents.read(session, issue_id, now=now)
    rendered = render(content, settings, links(settings, issue_id, keyring=keyring), dated=now.date(),
                      known=issues.known(session))  # fmt: skip
    held = reports.run(session, content, Step.FREEZE, block=settings.check.block, now=now)
    held = replace(held, findings=(*held.findings, *checks.check(content, rendered, settings)))
    if held.blocking:
        raise Blocked(f"issue {issue_id} cannot be frozen; what blocks it:", held.blocking)
    texts = briefings.keep_reports(session, issues.get(session, issue_id).items, actor=actor, now=now)
    report = reports.keep(session, held, texts=texts, person=actor)
    sha256 = store(session, content, rendered, reports=texts, now=now)
    contents.freeze(session, content, rendering=sha256, report=report.id, actor=actor, now=now)
    return sha256


def store(
    session: Session, content: IssueContent, rendered: Rendered, *, reports: Mapping[str, int], now: datetime
) -> str:
    """Keep the rendering with the list of the texts that it was made from and the gate's reports; return its hash."""
    manifest = _manifest(content, reports)
    sha256 = rendered.sha256(manifest)
    if session.get(Rendering, sha256) is None:
        row = Rendering(
            sha256=sha256, issue_id=content.id, theme=rendered.theme, subject=rendered.subject,
            alternatives=list(rendered.alternatives), preheader=rendered.preheader,
            html=rendered.html, text=rendered.text, manifest=manifest,
            personal=rendered.personal.as_json(), at=now,
        )  # fmt: skip
        session.add(row)
        session.flush()
        tracked.keep(session, sha256, rendered.html)
    return sha256


def load(session: Session, issue_id: int) -> Rendered:
    """Return the rendering that the issue is fixed to; Refused when there is none, or when it was altered since."""
    issue = issues.get(session, issue_id)
    if not issue.rendering:
        raise Refused(f"issue {issue_id} is {issue.state} and has no rendering. {issues.next_step(issue)}")
    row = session.get(Rendering, issue.rendering, populate_existing=True)
    if row is None:
        raise Refused(f"the rendering of issue {issue_id} is gone from the database; restore it from a backup")
    rendered = Rendered(
        subject=row.subject, preheader=row.preheader, html=row.html, text=row.text, theme=row.theme,
        personal=Personal.from_json(row.personal), alternatives=tuple(row.alternatives),
    )  # fmt: skip
    if rendered.sha256(row.manifest) != row.sha256 or row.issue_id != issue_id:
        raise Refused(
            f"the rendering of issue {issue_id} is not the one that was frozen on {row.at:%Y-%m-%d %H:%M}: its hash "
            "differs. Nothing is sent; compare with a backup"
        )
    return rendered


def _manifest(content: IssueContent, reports: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "position": item.position,
            "briefing": item.document.id,
            "sha256": item.sha256,
            "report": reports.get(item.document.id),
            "sources": [source.url for source in item.document.sources],
            "related": [{"briefing": each.briefing, "sha256": each.sha256} for each in item.related],
        }
        for item in content.items
    ]
