"""Trails: stories and decisions as a page hands them to a browser, and knows them again when they come back."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel import Session

from newsletter.discovery import inbox, triage
from newsletter.discovery.models import ItemState
from newsletter.discovery.triage import Decision, Held, Overtaken

#: The fields of an item's standing that are moments.
_MOMENTS = ("snoozed_until", "handled_at")


def mark(held: Sequence[Held]) -> str:
    """Return a word that differs when any of a story's items stands otherwise."""
    return hashlib.sha256(repr([_packed(each) for each in held]).encode()).hexdigest()[:16]


def require(session: Session, story: int, marked: str) -> tuple[Held, ...]:
    """Return how a story's items stand; Overtaken when they are not as they were marked any more."""
    now = triage.held(session, story, lock=True)
    if mark(now) != marked:
        standing = inbox.standing(inbox.get(session, story))
        raise Overtaken(f"item {story} is not as you saw it any more: it is {standing}; look at it again")
    return now


def packed(decision: Decision) -> dict[str, Any]:
    """Return a decision as JSON can have it."""
    return {
        "story": decision.story, "state": decision.state.value,
        "before": [_packed(each) for each in decision.before], "after": [_packed(each) for each in decision.after],
    }  # fmt: skip


def unpacked(text: Mapping[str, Any]) -> Decision:
    """Return the decision that was packed."""
    before, after = (tuple(_unpacked(each) for each in text[name]) for name in ("before", "after"))
    return Decision(story=text["story"], state=ItemState(text["state"]), before=before, after=after)


def _packed(held: Held) -> dict[str, Any]:
    moments = {name: each.isoformat() if (each := getattr(held, name)) else None for name in _MOMENTS}
    return {**asdict(held), "state": held.state.value, **moments}


def _unpacked(text: Mapping[str, Any]) -> Held:
    moments = {name: datetime.fromisoformat(text[name]) if text[name] else None for name in _MOMENTS}
    return Held(**{**text, "state": ItemState(text["state"]), **moments})
