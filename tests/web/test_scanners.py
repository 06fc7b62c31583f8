"""What link scanners do with a message: they look up every link in it, in every way but a person's."""

import email
import re
from email.policy import default

from newsletter import db, publication
from newsletter.delivery import letters as post
from newsletter.delivery import message
from newsletter.delivery.reader import Reader
from newsletter.rendering import compiled, letters, press
from subscribers import confirmations
from tests.web.conftest import Desk
from tests.web.test_reading import PILOTS, TUGS, approve, compose, staff

assert staff
AGENTS = ("Mozilla/5.0 (compatible; SafeLinks)", "BarracudaCentral", "python-requests/2.32", "")
WAYS = ("HEAD", "GET", "OPTIONS", "PROPFIND")


def links(raw: bytes) -> set[str]:
    """Return the path of every link of ours in a message: in its headers, its HTML and its text."""
    parsed = email.message_from_bytes(raw, policy=default)
    bodies = [part.get_content() for part in parsed.walk() if part.get_content_maintype() == "text"]
    whole = "\n".join([str(parsed["List-Unsubscribe"] or ""), *bodies]).replace("&amp;", "&")
    return set(re.findall(r'https://news\.harbour\.example(/[^\s"<>\]]*)', whole))


def test_following_every_link_of_every_message_changes_nothing(desk: Desk) -> None:
    approve(desk, TUGS, PILOTS)
    issue = compose(desk, [PILOTS.id])
    keyring = publication.keyring(desk.settings)
    with db.transaction(desk.engine) as session:
        rendered = press.load(session, issue)
        asked = confirmations.ask(session, desk.bo, {desk.weekly: "Yes"}, method="page", now=desk.now)
    head = message.masthead(desk.settings, issue, subject=rendered.subject, date=desk.now, keyring=keyring)
    body = compiled.compile(rendered.html, rendered.text, boundary="b")
    reader = Reader(1, desk.ana, "ana@quay.example", desk.weekly, "weekly", "The Weekly Tide")
    link = f"https://news.harbour.example/confirm/{asked.token}"
    letter = letters.confirmation(desk.settings, title="Weekly", shown="Yes", link=link, until=desk.now)
    copies = [
        message.assemble(head, body, reader).message,
        post.assemble(desk.settings, letter, to="bo@quay.example", now=desk.now)[1].message,
    ]
    found = set().union(*map(links, copies))
    assert {path.split("/")[1] for path in found} >= {"u", "p", "i", "confirm", "briefings", "standards"}
    before = desk.rows()
    for path in sorted(found):
        for agent in AGENTS:
            for way in WAYS:
                desk.client.request(way, path, headers={"User-Agent": agent, "Sec-Purpose": "prefetch"})
        assert desk.client.get(path).status_code in (200, 410), path
    assert desk.rows() == before
