"""Subscribers for programs: found, signed up by their own wish, changed, let go."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Path, Query, Response
from sqlmodel import Session

from newsletter import audit
from newsletter.delivery import letterbox
from newsletter.feedback import leaving
from newsletter.feedback.leaving import Word
from newsletter.web.api import answers, paging, shapes
from newsletter.web.api.answers import Key, Said
from newsletter.web.api.door import Caller, Reader, Writer
from newsletter.web.api.paging import Cursor, Limit, Page
from newsletter.web.api.problems import Refusal
from newsletter.web.api.shapes import Change, Leaving, NewSubscriber, SignedUp, SubscriberOut, Value
from subscribers import addresses, changes, knocks, lists, signups, subscribers
from subscribers.errors import NotFound
from subscribers.signups import Form
from subscribers.subscribers import SubscriberView

router = APIRouter(prefix="/subscribers")
Number = Annotated[int, Path(ge=1, le=shapes.LARGEST)]
#: How many letters that ask to confirm go to one address in a day, whoever asks for them.
TO_ADDRESS = 3


@router.get("")
def all_subscribers(
    caller: Reader,
    email: Annotated[str, Query(max_length=320, description="Only the one with this address.")] = "",
    list: Annotated[str, Query(pattern=r"^[a-z0-9-]{0,63}$", description="Only those of this list.")] = "",
    limit: Limit = 50, cursor: Cursor = "",
) -> Page[SubscriberOut]:  # fmt: skip
    """Return subscribers in the order in which they came; with `email` the one who has that address, or nobody."""
    place = paging.number(cursor)
    with caller.site.reading() as session:
        if email:
            known = subscribers.known(session, email)
            fits = known is not None and (not list or list in known.subscriptions)
            return Page(items=[shapes.of_subscriber(known)] if known and fits else [], next=None)
        found = subscribers.all(session, list=list or None, limit=limit + 1, after=place)
    page, more = paging.cut(found, limit, lambda each: each.id)
    return Page(items=[shapes.of_subscriber(each) for each in page], next=more)


@router.get("/{subscriber}")
def one_subscriber(caller: Reader, subscriber: Number) -> SubscriberOut:
    """Return one subscriber."""
    with caller.site.reading() as session:
        return shapes.of_subscriber(_known(session, subscriber))


@router.post("", status_code=201)
def sign_up(
    caller: Writer, body: NewSubscriber, response: Response, later: BackgroundTasks, key: Key = None,
) -> SignedUp:  # fmt: skip
    """Let a reader join lists by their own wish.

    A list that is double opt-in asks them by mail, and so does any list that they left before. Who must not be mailed
    is refused. Of who is known already nothing but the lists changes.
    """
    letters: list[int] = []
    with caller.site.transaction() as session:
        said = answers.once(session, caller, key, ("sign up", body), lambda: _sign_up(session, caller, body, letters))
    for letter in letters:
        later.add_task(letterbox.send, caller.site.engine, caller.site.settings, clock=caller.site.clock, only=letter)
    _mark(response, said)
    return SignedUp.model_validate(said.body)


def _sign_up(session: Session, caller: Caller, body: NewSubscriber, letters: list[int]) -> Said:
    keyring, said = caller.site.keyring, body.consent
    address = addresses.parse(body.email).key
    form = Form(version=said.form, method=f"api, {caller.who}", ip=said.ip, user_agent=said.user_agent, relayed=True)
    signed = signups.sign_up(
        session, body.email, wishes=dict.fromkeys(body.lists, said.words), form=form, name=body.name,
        language=body.language, topics=body.topics, attributes=_texts(body.attributes), frequency=body.frequency,
        keyring=keyring, now=caller.now,
    )  # fmt: skip
    if signed.subscriber_id is None:
        raise Refusal(409, "This address must not be mailed; nothing was changed.")
    if signed.asked:
        within = timedelta(days=1)
        if not knocks.allow(session, keyring, "address", address, most=TO_ADDRESS, within=within, now=caller.now):
            raise Refusal(409, f"This address was asked {TO_ADDRESS} times today; nothing was changed.")
        letters.append(letterbox.put(session, signed.asked, now=caller.now))
    outcomes = {name: str(outcome) for name, outcome in signed.outcomes.items()}
    _record(session, caller, "signed up", signed.subscriber_id, lists=outcomes)
    told = shapes.of_subscriber(_known(session, signed.subscriber_id)).model_dump(mode="json")
    return Said(body={"outcomes": outcomes, "subscriber": told}, about=signed.subscriber_id)


@router.patch("/{subscriber}")
def change(caller: Writer, subscriber: Number, body: Change) -> SubscriberOut:
    """Change what is known of a subscriber, all of it or nothing; their lists stay as they are."""
    with caller.site.transaction() as session:
        known = _known(session, subscriber)
        wanted = body.topics if body.topics is not None else known.topics
        given = changes.Change(
            name=body.name, language=body.language, country=body.country, audience=body.audience,
            frequency=body.frequency, topics=wanted, not_topics=[each for each in known.topics if each not in wanted],
            attributes=_texts(body.attributes),
        )  # fmt: skip
        changed = changes.apply(session, known.email, given, keyring=caller.site.keyring)
        _record(session, caller, "changed", subscriber, fields=sorted(body.model_fields_set))
        return shapes.of_subscriber(changed)


@router.post("/{subscriber}/unsubscribe")
def unsubscribe(
    caller: Writer, subscriber: Number, body: Leaving, response: Response, key: Key = None,
) -> SubscriberOut:  # fmt: skip
    """Take a subscriber off one list, or off every list; a second time changes nothing."""
    with caller.site.transaction() as session:
        said = answers.once(
            session, caller, key, (f"unsubscribe {subscriber}", body), lambda: _leave(session, caller, subscriber, body)
        )
    _mark(response, said)
    return SubscriberOut.model_validate(said.body)


def _leave(session: Session, caller: Caller, number: int, body: Leaving) -> Said:
    _known(session, number)
    word: Word = {"method": f"api, {caller.who}"[:80], "now": caller.now, "ip": "", "user_agent": ""}
    if body.list is None:
        leaving.leave_all(session, subscriber_id=number, **word)
    else:
        leaving.leave(session, subscriber_id=number, list_id=lists.id_of(session, body.list), **word)
    _record(session, caller, "unsubscribed", number, list=body.list or "")
    return Said(body=shapes.of_subscriber(_known(session, number)).model_dump(mode="json"), about=number)


def _known(session: Session, number: int) -> SubscriberView:
    found = subscribers.get(session, number)
    if found is None:
        raise NotFound(f"there is no subscriber {number}; find them by their address: ?email=")
    return found


def _texts(given: Mapping[str, Value]) -> dict[str, str]:
    """Return attributes as texts, which their declared types read; null is an empty one."""
    return {name: "" if value is None else str(value) for name, value in given.items()}


def _record(session: Session, caller: Caller, action: str, number: int, **detail: object) -> None:
    audit.append(session, action, actor=caller.who, kind="subscriber", name=number, now=caller.now, **detail)


def _mark(response: Response, said: Said) -> None:
    if said.again:
        response.headers["Idempotency-Replayed"] = "true"
