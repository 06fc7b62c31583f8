"""Corrections: what readers are told about a briefing that they have, written by one and approved by another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import shorten
from typing import Any

from sqlmodel import Session, col, select, update

from newsletter import audit
from newsletter.editorial import decisions, people, standings
from newsletter.editorial.models import Briefing, BriefingState
from newsletter.editorial.standings import Standing
from newsletter.errors import BadInput, NotFound, Refused
from newsletter.issues import issues, wording
from newsletter.issues.content import CorrectionContent, IssueContent, ItemContent
from newsletter.issues.models import Correction, CorrectionKind, CorrectionState, Issue, IssueKind, IssueState
from subscribers.words import line

#: What stands over a correction. The first is a promise of the standards: what was wrong is called by no other word.
LABELS = {
    CorrectionKind.CORRECTION: "Correction",
    CorrectionKind.CLARIFICATION: "Clarification",
    CorrectionKind.UPDATE: "Update",
    CorrectionKind.KILL: "Withdrawn",
}
#: What stands over the two parts of the message.
HEADINGS = {
    CorrectionKind.CORRECTION: ("What was wrong", "What is right"),
    CorrectionKind.CLARIFICATION: ("What could be misread", "What is meant"),
    CorrectionKind.UPDATE: ("What we wrote about", "What happened since"),
    CorrectionKind.KILL: ("Why we withdraw it", "What you should know"),
}
#: States in which the words stand on the pages.
PUBLIC = (CorrectionState.APPROVED, CorrectionState.SENT, CorrectionState.NOTED)
#: States in which the words can change.
OPEN = (CorrectionState.DRAFTED, CorrectionState.APPROVED)
#: How many the page of all shows.
MOST = 200
_LONGEST, _LONGEST_SUBJECT, _LONGEST_PREHEADER = 2000, 300, 99


@dataclass(frozen=True, kw_only=True)
class CorrectionView:
    """A correction as a listing shows it; `solo` says that whoever approved it had written it too."""

    id: int
    briefing: str
    title: str
    kind: CorrectionKind
    state: CorrectionState
    wrong: str
    right: str
    sha256: str
    hands: tuple[str, ...]
    at: datetime
    approved_by: str
    approved_at: datetime | None
    solo: bool
    issue: int | None

    @property
    def label(self) -> str:
        """Return what stands over it."""
        return LABELS[self.kind]

    @property
    def words(self) -> str:
        """Return what readers are told, as one text."""
        return f"{self.wrong} {self.right}".strip()

    def as_json(self) -> dict[str, Any]:
        """Return it in the words of the command line's JSON."""
        said = {name: value for name, value in vars(self).items() if name != "id"}
        return {"correction": self.id, **said, "label": self.label, "hands": list(self.hands)}


@dataclass(frozen=True, kw_only=True)
class Said:
    """A correction as everybody may read it, since the moment of its approval."""

    briefing: str
    title: str
    label: str
    words: str
    at: datetime


def draft(
    session: Session, briefing: str, *, kind: CorrectionKind = CorrectionKind.CORRECTION, wrong: str, right: str = "",
    actor: str, now: datetime,
) -> CorrectionView:  # fmt: skip
    """Write a correction down; the briefing counts as corrected from now on, as killed where it is withdrawn."""
    wrong, right = _said(wrong, right)
    here = standings.get(session, briefing)
    if kind is CorrectionKind.CORRECTION and here.state is not BriefingState.KILLED:
        decisions.correct(session, briefing, reason=wrong, actor=actor, now=now)
    elif kind is CorrectionKind.KILL and here.state is not BriefingState.KILLED:
        decisions.kill(session, briefing, reason=wrong, actor=actor, now=now)
    _require_read(here)
    people.require(session, actor)
    row = Correction(
        briefing_id=briefing, sha256=here.sha256, kind=kind, wrong=wrong, right=right, hands=[actor], at=now
    )
    session.add(row)
    session.flush()
    _record(session, row, "drafted", actor, now, what=kind.value)
    return get(session, row.id or 0)


def _require_read(here: Standing) -> None:
    if here.state not in (BriefingState.SENT, BriefingState.CORRECTED, BriefingState.KILLED):
        raise Refused(f"briefing {here.id} is {here.state}: readers do not have it, and nobody need be told; edit it")


def edit(
    session: Session, id: int, *, wrong: str | None = None, right: str | None = None, actor: str, now: datetime
) -> CorrectionView:
    """Give a correction other words, which nobody has approved yet; whoever gives them is one of its hands."""
    row = _open(session, id, "edited")
    people.require(session, actor)
    words = _said(row.wrong if wrong is None else wrong, row.right if right is None else right)
    _release(session, row, actor, now)
    hands = [*row.hands, *([] if actor in row.hands else [actor])]
    values = {"wrong": words[0], "right": words[1], "hands": hands, "approved_by": "", "approved_at": None}
    _move(session, row, CorrectionState.DRAFTED, since=OPEN, **values, solo=False)
    _record(session, row, "edited", actor, now)
    return get(session, id)


def approve(
    session: Session, id: int, *, by_mail: bool = True, solo: bool, actor: str, now: datetime
) -> CorrectionView:
    """Record the yes of somebody who wrote none of it, and make the issue that carries it.

    Without `by_mail` it stands on the pages only. Refused to its hands, unless the desk says `solo`.
    """
    row = _get(session, id)
    if row.state is not CorrectionState.DRAFTED:
        here = get(session, id)
        raise Refused(f"correction {id} is {here.state}, and only one that is drafted is approved. {next_step(here)}")
    people.require(session, actor)
    hand = actor in row.hands
    if hand and not solo:
        raise Refused(
            f"{actor} cannot approve correction {id}: they wrote it; ask somebody else, or say solo = true in "
            "newsletter.toml"
        )
    state = CorrectionState.APPROVED if by_mail else CorrectionState.NOTED
    _move(session, row, state, since=(CorrectionState.DRAFTED,), approved_by=actor, approved_at=now, solo=hand)
    _record(session, row, "approved", actor, now, solo=hand, by_mail=by_mail)
    if by_mail:
        issue(session, id, actor=actor, now=now)
    return get(session, id)


def issue(session: Session, id: int, *, actor: str, now: datetime) -> int:
    """Return the issue that carries an approved correction, made anew where there is none or it was cancelled."""
    row = _get(session, id)
    if row.state is CorrectionState.SENT and row.issue_id:
        return row.issue_id
    if row.state is not CorrectionState.APPROVED:
        raise Refused(f"correction {id} is {row.state} and cannot be sent. {next_step(get(session, id))}")
    if row.issue_id and issues.get(session, row.issue_id).state is not IssueState.CANCELLED:
        return row.issue_id
    title = get(session, id).title or row.briefing_id
    made = Issue(
        kind=IssueKind.CORRECTION, subject=_subject(LABELS[row.kind], title), preheader=_preheader(row.wrong),
        composed_at=now, composed_by=row.hands[0],
    )  # fmt: skip
    session.add(made)
    session.flush()
    _move(session, row, CorrectionState.APPROVED, since=(CorrectionState.APPROVED,), issue_id=made.id)
    audit.append(session, "composed", actor=actor, kind="issue", name=made.id, now=now, correction=id)
    assert made.id is not None
    return made.id


def withdraw(session: Session, id: int, *, reason: str, actor: str, now: datetime) -> CorrectionView:
    """Give up a correction that was not sent; it stands on no page any more."""
    row = _open(session, id, "withdrawn")
    people.require(session, actor)
    said = line("--reason", reason, _LONGEST)
    if not said:
        raise BadInput(f"say why, for whoever reads the record: newsletter corrections withdraw {id} --reason WORDS")
    _release(session, row, actor, now)
    _move(session, row, CorrectionState.WITHDRAWN, since=OPEN)
    _record(session, row, "withdrawn", actor, now, reason=said)
    return get(session, id)


def all(session: Session, *, state: CorrectionState | None = None) -> list[CorrectionView]:
    """Return the corrections, newest first, all or those in one state."""
    return [each for each in _read(session) if state in (None, each.state)]


def get(session: Session, id: int) -> CorrectionView:
    """Return one correction, or say that there is none."""
    _get(session, id)
    return _read(session, col(Correction.id) == id)[0]


def log(session: Session) -> list[Said]:
    """Return the newest corrections that are public, newest first."""
    return _public(session)[:MOST]


def of(session: Session, briefing: str) -> list[Said]:
    """Return what was said in public of a briefing, newest first."""
    return _public(session, col(Correction.briefing_id) == briefing)


def _public(session: Session, *conditions: Any) -> list[Said]:
    found = [
        Said(
            briefing=each.briefing, title=each.title, label=each.label, words=each.words,
            at=each.approved_at or each.at,
        )
        for each in _read(session, col(Correction.state).in_(PUBLIC), *conditions)
    ]  # fmt: skip
    return sorted(found, key=lambda each: each.at, reverse=True)


def pending(session: Session) -> list[CorrectionView]:
    """Return the corrections that were approved and wait to be sent, newest first."""
    return all(session, state=CorrectionState.APPROVED)


def under_way(session: Session) -> list[CorrectionView]:
    """Return the corrections that began to go out and are not done, newest first."""
    return all(session, state=CorrectionState.SENDING)


def carried(session: Session, issue_id: int) -> CorrectionView | None:
    """Return the correction that an issue carries, None where it is none."""
    return next(iter(_read(session, col(Correction.issue_id) == issue_id)), None)


def content(session: Session, correction: CorrectionView, issue_id: int = 0) -> IssueContent:
    """Return what the message says: the words, and the briefing that they are about, credited as it was."""
    document = standings.text_at(session, correction.briefing, correction.sha256)
    about, instead = HEADINGS[correction.kind]
    said = CorrectionContent(
        label=correction.label, about=about, wrong=correction.wrong, instead=instead, right=correction.right
    )
    return IssueContent(
        id=issue_id, subject=_subject(correction.label, document.title or document.id),
        preheader=_preheader(correction.wrong), intro="", correction=said,
        items=(ItemContent(position=1, sha256=correction.sha256, document=document),),
    )  # fmt: skip


def mark_sent(session: Session, issue_id: int, *, actor: str, now: datetime) -> None:
    """Mark the correction of an issue that begins to go out; an issue without one is left alone."""
    if row := _carried(session, issue_id):
        _move(session, row, CorrectionState.SENT, since=(CorrectionState.APPROVED,))
        _record(session, row, "sent", actor, now, issue=issue_id)


def take_back(session: Session, issue_id: int) -> None:
    """Let the correction of an issue that nobody got wait again."""
    if row := _carried(session, issue_id):
        _move(session, row, CorrectionState.APPROVED, since=(CorrectionState.SENT,))


def next_step(correction: CorrectionView) -> str:
    """Return what can be done with a correction in its state."""
    id = correction.id
    return {
        CorrectionState.DRAFTED: f"Somebody else approves it: newsletter corrections approve {id}",
        CorrectionState.APPROVED: f"Send it: newsletter corrections send {id}",
        CorrectionState.SENDING: f"Go on: newsletter corrections send {id}",
        CorrectionState.SENT: f"Who has it and who has not: newsletter status {correction.issue}; for more, draft "
        "another: newsletter corrections draft BRIEFING",
        CorrectionState.NOTED: "It stands on the pages; to mail one, draft it: newsletter corrections draft BRIEFING",
        CorrectionState.WITHDRAWN: "Draft another: newsletter corrections draft BRIEFING",
    }[correction.state]


def _said(wrong: str, right: str) -> tuple[str, str]:
    wrong, right = line("what was wrong", wrong, _LONGEST), line("what is right", right, _LONGEST)
    if not wrong:
        raise BadInput("say what was wrong, in the words that readers get: --wrong WORDS")
    return wrong, right


def _subject(label: str, title: str) -> str:
    return wording.literal(shorten(f"{label}: {title}", _LONGEST_SUBJECT, placeholder="…"))


def _preheader(words: str) -> str:
    return wording.literal(shorten(words, _LONGEST_PREHEADER, placeholder="…"))


def _open(session: Session, id: int, done: str) -> Correction:
    row = _get(session, id)
    if row.state not in OPEN:
        here = get(session, id)
        raise Refused(f"correction {id} is {here.state} and cannot be {done} any more. {next_step(here)}")
    return row


def _release(session: Session, row: Correction, actor: str, now: datetime) -> None:
    """Cancel the issue that was made for words that do not hold any more."""
    if row.issue_id and issues.get(session, row.issue_id).state is not IssueState.CANCELLED:
        issues.cancel(session, row.issue_id, actor=actor, now=now)


def _get(session: Session, id: int) -> Correction:
    row = session.get(Correction, id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no correction {id}; see them: newsletter corrections list")
    return row


def _carried(session: Session, issue_id: int) -> Correction | None:
    return session.exec(select(Correction).where(Correction.issue_id == issue_id)).first()


def _move(
    session: Session, row: Correction, to: CorrectionState, *, since: Sequence[CorrectionState], **values: Any
) -> None:
    """Move a correction that still says what it did, in one of the states `since`; a race is lost loudly."""
    same = (col(Correction.id) == row.id, col(Correction.wrong) == row.wrong, col(Correction.right) == row.right)
    guarded = update(Correction).where(*same, col(Correction.state).in_(since)).values(state=to, **values)
    if session.execute(guarded).rowcount != 1:  # type: ignore[attr-defined]
        raise Refused(f"correction {row.id} was changed a moment ago; look again: newsletter corrections show {row.id}")
    session.refresh(row)


def _record(session: Session, row: Correction, action: str, actor: str, now: datetime, **detail: Any) -> None:
    said = {"briefing": row.briefing_id, "wrong": row.wrong, "right": row.right}
    audit.append(session, action, actor=actor, kind="correction", name=row.id, now=now, **said, **detail)


def _read(session: Session, *conditions: Any) -> list[CorrectionView]:
    query = (
        select(Correction, Briefing.title, Issue.state)
        .join(Briefing, col(Briefing.id) == Correction.briefing_id)
        .join(Issue, col(Issue.id) == Correction.issue_id, isouter=True)
        .where(*conditions).order_by(col(Correction.at).desc(), col(Correction.id).desc())
    )  # fmt: skip
    return [
        CorrectionView(
            id=row.id or 0, briefing=row.briefing_id, title=title, kind=row.kind, wrong=row.wrong,
            state=CorrectionState.SENDING if carrier in issues.UNDER_WAY else row.state,
            right=row.right, sha256=row.sha256, hands=tuple(row.hands), at=row.at, approved_by=row.approved_by,
            approved_at=row.approved_at, solo=row.solo, issue=row.issue_id,
        )
        for row, title, carrier in session.exec(query.execution_options(populate_existing=True))
    ]  # fmt: skip
