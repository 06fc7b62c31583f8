"""Three manners of handing over messages, by what the server offers: each gives the same outcomes, sooner or later."""

from newsletter.delivery.replies import Moment, read
from newsletter.delivery.smtp.commands import chunk, stuffed
from newsletter.delivery.smtp.hand import Hand, Item, Step

#: Bytes on their way at once over one connection, where whole transactions follow each other.
WINDOW = 1 << 20


async def plain(hand: Hand) -> None:
    """Send command by command, and wait for each reply (RFC 5321 2.1): for servers that know nothing else."""
    while item := await hand.next():
        if await _accepted(hand, item):
            hand.begin(item)
            hand.text(item, (), stuffed(item.envelope), replies=1)
            await hand.conclude(item)


async def _accepted(hand: Hand, item: Item) -> bool:
    """Return whether the server waits for the text; else the message is settled, and no transaction stands."""
    for step, line, moment in (
        (Step.MAIL, item.mail, Moment.MAIL),
        (Step.RCPT, item.rcpt, Moment.RCPT),
        (Step.DATA, b"DATA\r\n", Moment.TEXT),
    ):
        hand.send(line, replies=1)
        reply = await hand.reply(step)
        if reply.code >= 400:
            hand.settle(item, read(moment, *reply))
            if step is not Step.MAIL:
                hand.send(b"RSET\r\n", replies=1)
                await hand.reply(Step.RSET)
            return False
    return True


async def grouped(hand: Hand) -> None:
    """Send one text and the next envelope together (RFC 2920): one round trip for each message."""
    item: Item | None = None
    while True:
        if item is None:
            item = await hand.next()
            if item is None:
                return
            hand.send(item.mail, item.rcpt, b"DATA\r\n", replies=3)
        item = await _overlapped(hand, item)


async def _overlapped(hand: Hand, item: Item) -> Item | None:
    """Bring a message to its end whose envelope is out, and return the next one, whose envelope is out by then."""
    mail, rcpt = await hand.envelope(item)
    data = await hand.reply(Step.DATA)
    waits = data.code == 354
    if waits and not item.settled:
        hand.begin(item)
        text = stuffed(item.envelope)
        following = hand.take()
        group = _group(following)
        hand.text(item, (), text, group, replies=1 + len(group))
        await hand.conclude(item)
        return following
    if waits and rcpt:
        raise hand.distrust("takes a message whose sender it refused")
    if not item.settled:
        hand.settle(item, read(Moment.TEXT, *data))
    following = hand.take()
    group = _group(following)
    if waits:  # for a text without a recipient: only the dot may follow, and is refused (RFC 2920 3.1)
        hand.send(b".\r\n", *group, replies=1 + len(group))
        await hand.reply(Step.TEXT)
    elif mail or rcpt:  # half a transaction stands
        hand.send(b"RSET\r\n", *group, replies=1 + len(group))
        await hand.reply(Step.RSET)
    elif group:
        hand.send(*group, replies=len(group))
    return following


def _group(item: Item | None) -> tuple[bytes, ...]:
    """Return the envelope of a message as a group of commands, DATA last."""
    return (item.mail, item.rcpt, b"DATA\r\n") if item else ()


async def chunked(hand: Hand, in_flight: int) -> None:
    """Send whole transactions one after the other (RFC 3030), so many of them before the first reply."""
    while item := await hand.next():
        _launch(hand, item)
        while hand.items:
            while len(hand.items) < in_flight and hand.under_way < WINDOW and (more := hand.take()):
                _launch(hand, more)
            await _landed(hand, hand.items[0])


def _launch(hand: Hand, item: Item) -> None:
    hand.begin(item)
    item.reset = hand.used or len(hand.items) > 1
    # Whatever becomes of the transaction before, this one begins with nothing left of it.
    before = (b"RSET\r\n", item.mail, item.rcpt) if item.reset else (item.mail, item.rcpt)
    hand.text(item, before, chunk(item.envelope), replies=len(before) + 1)


async def _landed(hand: Hand, item: Item) -> None:
    if item.reset:
        await hand.reply(Step.RSET)
    await hand.envelope(item)
    if item.settled:
        await hand.reply(Step.TEXT)
    else:
        await hand.conclude(item)
