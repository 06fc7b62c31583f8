"""Comments: what somebody says of a briefing's text, or of one place in it, beside the text and never in it."""

from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from sqlmodel import Session, col, select

from newsletter import audit
from newsletter.editorial import body, people, standings, text
from newsletter.editorial.document import Document
from newsletter.editorial.models import Comment
from newsletter.errors import BadInput, NotFound

#: The longest comment, in characters.
LONGEST = 4000


@dataclass(frozen=True, kw_only=True)
class CommentView:
    """A comment; `current` tells whether the text is still the one that it was made on."""

    briefing: str
    revision: int
    current: bool
    place: str
    text: str
    person: str
    at: datetime


def add(session: Session, id: str, said: str, *, place: str = "", actor: str, now: datetime) -> CommentView:
    """Keep a comment on the text as it stands; `place` is a part of it, by the name that its file has for it."""
    here = standings.get(session, id)
    people.require(session, actor)
    said = text.normal(said).strip()
    if not said or len(said) > LONGEST or text.refused(said):
        raise BadInput(f"a comment has 1 to {LONGEST} characters, none of them a control character; write another")
    comment = Comment(
        briefing_id=id, revision=here.revision, sha256=here.sha256, person=actor, at=now,
        place=_place(here.document, place) if place else "", text=said,
    )  # fmt: skip
    session.add(comment)
    session.flush()
    audit.append(
        session, "commented", actor=actor, kind="briefing", name=id, now=now,
        revision=here.revision, sha256=here.sha256, comment=comment.id, place=comment.place,
    )  # fmt: skip
    return _view(comment, here.sha256)


def all(session: Session, id: str) -> list[CommentView]:
    """Return what was said of a briefing, oldest first."""
    here = standings.get(session, id)
    query = select(Comment).where(Comment.briefing_id == id).order_by(col(Comment.id))
    return [_view(comment, here.sha256) for comment in session.exec(query)]


def _place(document: Document, place: str) -> str:
    numbered = [f"sources {number}" for number, _ in enumerate(document.sources, start=1)]
    places = {name.casefold(): name for name in (*body.parts(document), "Key points", *numbered)}
    if place.casefold() not in places:
        near = get_close_matches(place.casefold(), places, n=1)
        hint = f"did you mean {places[near[0]]!r}?" if near else f"the parts are {', '.join(places.values())}"
        raise NotFound(f"briefing {document.id} has no part {place!r}; {hint}")
    return places[place.casefold()]


def _view(comment: Comment, sha256: str) -> CommentView:
    return CommentView(
        briefing=comment.briefing_id, revision=comment.revision, current=comment.sha256 == sha256,
        place=comment.place, text=comment.text, person=comment.person, at=comment.at,
    )  # fmt: skip
