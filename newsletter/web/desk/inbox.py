"""The inbox: the stories that wait, the best first, each decided by a button or a key, and taken back by one."""

from collections.abc import Sequence
from datetime import timedelta

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from newsletter import audit
from newsletter.discovery import inbox, ranking, trails, triage
from newsletter.discovery.models import ItemState
from newsletter.discovery.triage import Decision
from newsletter.editorial import beginnings
from newsletter.editorial.models import Role
from newsletter.errors import NewsletterError
from newsletter.web.desk.visit import Doing, Seen, Visit
from newsletter.web.forms import Fields, Sent, one
from newsletter.web.site import READ

router = APIRouter()

#: How many stories a page shows, and for how many days one can sleep.
MOST, DAYS = 40, (1, 3, 7)
#: How many decisions a page can take back, and the characters that they may have in a form.
BACK, ROOM = 8, 24_000
_TO = {"shortlist": ItemState.SHORTLISTED, "dismiss": ItemState.DISMISSED, "snooze": ItemState.SNOOZED}


@router.api_route("/desk/inbox", methods=READ)
def show(visit: Seen, every: str = "") -> Response:
    """Show what nobody has taken up; with `every` also what is shortlisted or claimed."""
    return _page(visit, (), every=bool(every))


@router.post("/desk/inbox")
def act(visit: Doing, sent: Sent) -> Response:
    """Decide of one story, or take the newest decision back."""
    action, _, number = one(sent, "do").partition(":")
    trail = [trails.unpacked(each) for each in visit.unseal(one(sent, "trail"))]
    every = bool(one(sent, "every"))
    try:
        if action == "undo" and trail:
            return _page(visit, trail[:-1], every=every, said=_undo(visit, trail[-1]))
        story = _story(number)
        if action == "begin":
            return visit.to(f"/briefings/{_begin(visit, sent, story)}")
        if action not in _TO:
            raise HTTPException(400)
        decision = _decide(visit, sent, story, _TO[action])
    except NewsletterError as error:
        return _page(visit, trail, every=every, said=str(error), failed=True)
    return _page(visit, [*trail, decision][-BACK:], every=every, said=f"Item {story} is {decision.state} now.")


def _story(number: str) -> int:
    if not (number.isdecimal() and number.isascii() and len(number) < 10):
        raise HTTPException(400)
    return int(number)


def _decide(visit: Visit, sent: Fields, story: int, to: ItemState) -> Decision:
    reason, days = one(sent, f"why-{story}"), one(sent, f"days-{story}")
    if to is ItemState.SNOOZED and days not in map(str, DAYS):
        raise HTTPException(400)
    until = visit.now + timedelta(days=int(days)) if to is ItemState.SNOOZED else None
    detail = {"until": until.isoformat()} if until else {"reason": reason} if to is ItemState.DISMISSED else {}
    with visit.acting(Role.SCOUT) as session:
        seen = trails.require(session, story, one(sent, f"seen-{story}"))
        made = triage.decide(
            session, story, to, seen=seen, reason=reason, until=until, actor=visit.who, now=visit.now
        )  # fmt: skip
        audit.append(session, to.value, actor=visit.who, kind="item", name=story, now=visit.now, **detail)
    return made


def _undo(visit: Visit, decision: Decision) -> str:
    with visit.acting(Role.SCOUT) as session:
        triage.undo(session, decision)
        detail = {"decision": decision.state.value}
        audit.append(session, "undone", actor=visit.who, kind="item", name=decision.story, now=visit.now, **detail)
    return f"Item {decision.story} is no longer {decision.state}."


def _begin(visit: Visit, sent: Fields, story: int) -> str:
    with visit.acting(Role.WRITER) as session:
        trails.require(session, story, one(sent, f"seen-{story}"))
        folder = visit.site.settings.briefings
        begun = beginnings.begin(session, [story], folder=folder, author=visit.who, now=visit.now)
        detail = {"briefing": begun.id}
        audit.append(session, "claimed", actor=visit.who, kind="item", name=story, now=visit.now, **detail)
    return begun.id


def _sealed(visit: Visit, trail: Sequence[Decision]) -> str:
    sealed = visit.seal([trails.packed(each) for each in trail])
    return sealed if len(sealed) <= ROOM else _sealed(visit, trail[1:])


def _page(
    visit: Visit, trail: Sequence[Decision], *, every: bool, said: str = "", failed: bool = False
) -> Response:  # fmt: skip
    with visit.site.reading() as session:
        memory = beginnings.memory(session)
        found = ranking.rank(inbox.waiting(session, now=visit.now), memory, now=visit.now)
        stories = found if every else triage.undecided(found)
        marks = {each.id: trails.mark(triage.held(session, each.id)) for each in stories[:MOST]}
        reasons = triage.reasons(session)
    return visit.page(
        "inbox", status=409 if failed else 200, said=said, failed=failed, stories=stories[:MOST], marks=marks,
        more=len(stories) - len(marks), every=every, others=len(found) - len(stories), reasons=reasons, days=DAYS,
        standing=inbox.standing, undo=bool(trail), trail=_sealed(visit, trail),
    )  # fmt: skip
