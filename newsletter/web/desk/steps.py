"""Steps: what each button on the page of an issue does, in one transaction, and what it comes to in words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from newsletter.delivery import audiences, controls, inspection, rounds, schedules
from newsletter.delivery.sending import Order
from newsletter.editorial import gate
from newsletter.editorial.models import Role
from newsletter.errors import Blocked
from newsletter.issues import arranging, clearing, issues
from newsletter.issues.arranging import Arrangement
from newsletter.issues.issues import IssueView
from newsletter.rendering import press
from newsletter.web.desk.visit import Visit, several
from newsletter.web.forms import Fields, one
from newsletter.words import counted


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked before a send is given its time, and what the answer repeats."""

    text: str
    at: str
    lists: tuple[str, ...]
    segments: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a step came to; with a `question` nothing was done yet."""

    words: str = ""
    question: Question | None = None


def _arrange(visit: Visit, issue: int, arrangement: Arrangement, said: str, **changes: Any) -> Said:
    visit.may(Role.EDITOR)
    if arrangement.add:
        visit.look()
    with visit.acting(Role.EDITOR) as session:
        issues.edit(session, issue, changes=changes, arrangement=arrangement, actor=visit.who, now=visit.now)
    return Said(words=said)


def _move(by: int) -> Callable[[Visit, int, Fields, str], Said]:
    def move(visit: Visit, issue: int, _sent: Fields, name: str) -> Said:
        with visit.site.reading() as session:
            items = issues.get(session, issue).items
        return _arrange(visit, issue, Arrangement(order=arranging.moved(items, name, by)), f"{name} is moved.")

    return move


def _order(visit: Visit, issue: int, sent: Fields, _name: str) -> Said:
    names = tuple(filter(None, one(sent, "order").split(",")))
    return _arrange(visit, issue, Arrangement(order=names), "The items are in their new order.")


def _add(visit: Visit, issue: int, sent: Fields, _name: str) -> Said:
    added = several(sent, "add")
    return _arrange(visit, issue, Arrangement(add=added), f"{', '.join(added) or 'Nothing'} is added.")


def _drop(visit: Visit, issue: int, _sent: Fields, name: str) -> Said:
    return _arrange(visit, issue, Arrangement(drop=(name,)), f"{name} is left out.")


def words(issue: IssueView, sent: Fields) -> dict[str, str]:
    """Return the words of a form that differ: a subject that nobody wrote goes on following the items."""
    names = ("subject", "preheader", "intro", "list")
    wanted = {name: one(sent, name).replace("\r\n", "\n") for name in names if name in sent}
    return {name: text for name, text in wanted.items() if text != getattr(issue, name)}


def _words(visit: Visit, issue: int, sent: Fields, _name: str) -> Said:
    with visit.site.reading() as session:
        changes = words(issues.get(session, issue), sent)
    if not changes:
        return Said(words="Nothing is different.")
    return _arrange(visit, issue, arranging.AS_IT_IS, "The words are kept.", **changes)


def _freeze(visit: Visit, issue: int, _sent: Fields, _name: str) -> Said:
    site = visit.site
    visit.may(Role.EDITOR)
    visit.look()
    with visit.acting(Role.EDITOR) as session:
        press.freeze(session, issue, site.settings, keyring=site.keyring, actor=visit.who, now=visit.now)
    return Said(words=f"Issue {issue} is frozen: its subject, HTML and text are fixed.")


def _unfreeze(visit: Visit, issue: int, _sent: Fields, _name: str) -> Said:
    with visit.acting(Role.EDITOR) as session:
        schedules.require_none(session, issue)
        clearing.unfreeze(session, issue, actor=visit.who, now=visit.now)
    return Said(words=f"Issue {issue} can change again.")


def _clear(visit: Visit, issue: int, sent: Fields, _name: str) -> Said:
    visit.may(Role.EDITOR, Role.STANDARDS)
    visit.look()
    with visit.acting(Role.EDITOR, Role.STANDARDS) as session:
        solo = visit.site.settings.publication.solo
        made = clearing.clear(session, issue, solo=solo, note=one(sent, "note"), actor=visit.who, now=visit.now)
    return Said(words=f"Issue {issue} is {made}.")


def _cancel(visit: Visit, issue: int, _sent: Fields, _name: str) -> Said:
    site = visit.site
    who = visit.may(Role.EDITOR)  # giving up opens its transactions itself
    done = controls.cancel(site.engine, site.settings, issue, actor=who, now=visit.now)
    return Said(words=f"Issue {issue} is given up." if done else "Its sender is asked to stop, which takes a moment.")


def _ask(visit: Visit, issue: int, sent: Fields, _name: str) -> Said:
    """Ask before an issue is given its time; Blocked where anything keeps it back."""
    site, at = visit.site, one(sent, "at")
    visit.may(Role.SENDER)
    visit.look()
    with site.reading() as session:
        schedules.parse(at, visit.now)
        if site.settings.publication.clearance:
            clearing.require(session, issue)
        found = inspection.inspect(session, issue, site.settings, keyring=site.keyring, now=visit.now)
        if blocking := gate.blocks(found):
            raise Blocked(f"issue {issue} cannot be sent; what blocks it:", blocking)
        names = issues.lists_of(session, issue, several(sent, "list"))
        only = several(sent, "segment")
        size = audiences.count(session, issue, lists=names, segments=only, now=visit.now)
        subject = issues.get(session, issue).subject
    to = " and segment ".join((", ".join(names), *only))
    fewer = f"; {size.fewer}" if size.held else ""
    text = f"Send issue {issue}, “{subject}”, at {at}: {counted(size.readers, 'reader')} of {to} as of now{fewer}?"
    return Said(question=Question(text=text, at=at, lists=names, segments=only))


def _schedule(visit: Visit, issue: int, sent: Fields, _name: str) -> Said:
    moment, zone = schedules.parse(one(sent, "at"), visit.now)
    order = Order(lists=several(sent, "list"), segments=several(sent, "segment"))
    with visit.acting(Role.SENDER) as session:
        if visit.site.settings.publication.clearance:
            clearing.require(session, issue)
        terms = rounds.terms(order)
        schedules.add(session, issue, moment, zone=zone, terms=terms, actor=visit.who, now=visit.now)
        found = schedules.find(session, issue)
    return Said(words=f"Issue {issue} {found}.")


def _unschedule(visit: Visit, issue: int, _sent: Fields, _name: str) -> Said:
    with visit.acting(Role.SENDER) as session:
        found = schedules.remove(session, issue, actor=visit.who, now=visit.now)
    return Said(words=f"Issue {issue} does not begin {found.local} any more.")


def _pause(visit: Visit, issue: int, _sent: Fields, _name: str) -> Said:
    with visit.acting(Role.SENDER, Role.EDITOR) as session:
        done = controls.pause(session, issue, actor=visit.who, now=visit.now)
    return Said(words=f"Issue {issue} is paused." if done else "Its sender is asked to stop, which takes a moment.")


def _resume(visit: Visit, issue: int, _sent: Fields, _name: str) -> Said:
    with visit.acting(Role.SENDER) as session:
        stopped = controls.resume(session, issue, actor=visit.who, now=visit.now)
    later = f"goes on with the next newsletter deliver, or at once by: newsletter send {issue}"
    return Said(words=f"Issue {issue} {later if stopped else 'goes on'}.")


#: What each button is called, and what it does.
STEPS: dict[str, Callable[[Visit, int, Fields, str], Said]] = {
    "up": _move(-1), "down": _move(1), "order": _order, "add": _add, "drop": _drop, "words": _words,
    "freeze": _freeze, "unfreeze": _unfreeze, "clear": _clear, "cancel": _cancel, "ask": _ask, "schedule": _schedule,
    "unschedule": _unschedule, "pause": _pause, "resume": _resume,
}  # fmt: skip
