"""Issues: composed, put in order, worded, looked at, frozen and cleared."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response
from sqlmodel import Session

from newsletter.delivery import inspection, report
from newsletter.editorial import standings
from newsletter.editorial.gate import Finding
from newsletter.editorial.models import BriefingState, Role
from newsletter.errors import NewsletterError
from newsletter.issues import choosing, clearing, issues
from newsletter.issues.models import IssueState
from newsletter.web.desk import steps
from newsletter.web.desk.visit import Doing, Number, Seen, Visit, several, there
from newsletter.web.forms import Sent, one
from newsletter.web.site import READ
from subscribers import lists, segments

router = APIRouter()

#: The states in which an issue can be held against its approvals, for nobody was sent it.
BEFORE = (IssueState.ASSEMBLING, IssueState.FROZEN, IssueState.CLEARED)
#: How many issues the list shows.
_NEWEST = 50


@router.api_route("/desk/issues", methods=READ)
def listed(visit: Seen) -> Response:
    """List the issues, newest first, and what another could be made of."""
    return _list(visit)


@router.post("/desk/issues")
def compose(visit: Doing, sent: Sent) -> Response:
    """Make an issue of the briefings that were ticked, in their order."""
    try:
        visit.may(Role.EDITOR)
        visit.look()
        with visit.acting(Role.EDITOR) as session:
            made = issues.compose(
                session, several(sent, "pick"), words=issues.Words(), list_name=one(sent, "list"), actor=visit.who,
                now=visit.now,
            )  # fmt: skip
    except NewsletterError as error:
        return _list(visit, said=str(error), failed=True)
    return visit.to(f"/issues/{made.id}", said=f"Issue {made.id} is composed.")


def _list(visit: Visit, *, said: str = "", failed: bool = False) -> Response:
    with visit.glance() as session:
        chosen = choosing.choose(session, now=visit.now)
        texts = {each.id: each for each in standings.all(session, state=BriefingState.APPROVED)}
        found, offered = issues.all(session)[:_NEWEST], lists.all(session)
    return visit.page(
        "issues", status=409 if failed else 200, said=said, failed=failed, chosen=chosen, texts=texts, issues=found,
        lists=offered,
    )  # fmt: skip


@router.api_route("/desk/issues/{issue}", methods=READ)
def show(visit: Seen, issue: Number, said: str = "") -> Response:
    """Show an issue as it stands, with what can be done with it."""
    with there():
        return page(visit, issue, said=visit.told(said))


@router.post("/desk/issues/{issue}")
def act(visit: Doing, issue: Number, sent: Sent) -> Response:
    """Do one step with an issue."""
    action, _, name = one(sent, "do").partition(":")
    if action not in steps.STEPS:
        raise HTTPException(400)
    with there():
        try:
            said = steps.STEPS[action](visit, issue, sent, name)
        except NewsletterError as error:
            typed = {each: one(sent, each) for each in ("subject", "preheader", "intro") if each in sent}
            return page(visit, issue, said=str(error), failed=True, typed=typed)
    if said.question:
        return page(visit, issue, said=said.words, question=said.question)
    return visit.to(f"/issues/{issue}", said=said.words)


def page(visit: Visit, issue: int, *, failed: bool = False, **more: Any) -> Response:
    """Return the page of an issue."""
    with visit.site.reading() as session:
        before = issues.get(session, issue).state in BEFORE
    # What nobody was sent is shown as its files stand; what is on its way must not wait for who looks at it.
    opened: Callable[[], AbstractContextManager[Session]] = visit.glance if before else visit.site.reading
    with opened() as session:
        known = _known(visit, session, issue)
    values: dict[str, Any] = {"typed": {}, "question": None, **more}
    return visit.page("issue", status=409 if failed else 200, failed=failed, **known, **values)


def _known(visit: Visit, session: Session, issue: int) -> dict[str, Any]:
    found = issues.get(session, issue)
    chosen = choosing.choose(session, list_name=found.list, besides=issue, now=visit.now)
    return {
        "issue": found,
        "texts": {each: standings.get(session, each) for each in {*found.items, *chosen.picks}},
        "addable": [each for each in chosen.picks if each not in found.items],
        "findings": _findings(visit, session, issue) if found.state in BEFORE else [],
        "cleared": clearing.standing(session, issue),
        "clearance": visit.site.settings.publication.clearance,
        "told": report.status(session, issue, now=visit.now),
        "lists": lists.all(session),
        "segments": segments.all(session),
        "next": issues.next_step(found),
    }


def _findings(visit: Visit, session: Session, issue: int) -> list[Finding]:
    site = visit.site
    return inspection.inspect(session, issue, site.settings, keyring=site.keyring, now=visit.now)
