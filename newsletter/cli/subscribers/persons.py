"""`newsletter subscribers show`, `consent`, `export-person` and `erase`: one person, whole."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import desk, output
from newsletter.cli.subscribers.options import Address
from newsletter.editorial.models import Role
from newsletter.errors import Refused
from newsletter.feedback import persons
from newsletter.feedback.persons import Person
from newsletter.words import counted
from subscribers import consent as consents
from subscribers import subscribers


def register(app: typer.Typer) -> None:
    """Add the commands to the noun."""
    app.command()(show)
    app.command()(consent)
    app.command("export-person")(export_person)
    app.command()(erase)


def show(ctx: typer.Context, email: Address, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Tell all that is known of one person, and for each list why it may mail them or not."""
    here = desk.of(ctx)
    with here.seeing(as_, Role.ADMIN) as session:
        person = persons.find(session, email, keyring=here.keyring, now=here.now)
    if as_json:
        output.emit(person)
    else:
        _show(person)


def consent(ctx: typer.Context, email: Address, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Show the proofs of what one person agreed to and took back: the words, when, how, from where."""
    with desk.of(ctx).seeing(as_, Role.ADMIN) as session:
        found = consents.of(session, subscribers.find(session, email).id)
    if as_json:
        output.emit(found)
        return
    for each in found:
        output.say(f"{each.at:%Y-%m-%d %H:%M:%S} UTC  {each.event}  {each.list}  by {each.method}")
        for label, value in (
            ("words", each.words), ("sha-256", each.words_sha256), ("form", each.form_version), ("IP", each.ip),
            ("mail", each.message_id), ("browser", each.user_agent),
        ):  # fmt: skip
            if value:
                output.say(f"    {label}: {value}")
    if not found:
        output.say("No consent is recorded")


def export_person(
    ctx: typer.Context,
    email: Address,
    to: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Into this file; else on stdout.")] = None,
    as_: desk.Actor = "",
) -> None:
    """Write all data held about one person as JSON, for them to have (GDPR Art. 15 and 20)."""
    here = desk.of(ctx)
    with here.acting(as_, Role.ADMIN) as act:
        person = persons.find(act.session, email, keyring=here.keyring, now=act.now)
        act.record("exported", "subscriber", person.subscriber.id if person.subscriber else "-")
    text = output.document(person)
    if to is None:
        output.write(text)
        return
    try:
        to.write_text(text, "utf-8")
    except OSError as error:
        raise Refused(f"{to} cannot be written: {error.strerror}; name another file") from error
    output.note(f"all that is held about {email} is in {to}")


def erase(
    ctx: typer.Context, email: Address, yes: desk.Yes = False, as_: desk.Actor = "", as_json: desk.Json = False
) -> None:
    """Erase one person for good; what stays is a keyed hash that keeps the address out of imports."""
    here = desk.of(ctx)
    here.may(as_, Role.ADMIN)
    output.ask(f"Erase {email} and all that is known of them, for good?", yes=yes)
    with here.acting(as_, Role.ADMIN) as act:
        erased = persons.erase(act.session, email, keyring=here.keyring, now=act.now)
        act.record("erased", "subscriber", erased.subscriber_id or "-")
    if as_json:
        output.emit({"erased": True, **vars(erased)})
    elif erased.subscriber_id is None:
        output.say(f"Nobody subscribed as {email}; the address is kept out of imports from now on")
    else:
        gone = (counted(erased.subscriptions, "subscription"), counted(erased.suppressions, "suppression"))
        nameless = (
            counted(erased.consents, "consent"), counted(erased.deliveries, "delivery", "deliveries"),
            counted(erased.events, "event"), counted(erased.clicks, "click"),
        )  # fmt: skip
        output.say(f"{email} is erased: {', '.join(gone)}; naming nobody now: {', '.join(nameless)}")


def _show(person: Person) -> None:
    known = person.subscriber
    if known is None:
        output.say(f"{person.address} is no subscriber" + (": erased at their wish" if person.erased else ""))
    else:
        rows = [(field, value) for field, value in vars(known).items() if field not in _ELSEWHERE and value]
        rows += [(f"attribute {name}", value) for name, value in known.attributes.items()]
        output.table(("field", "value"), rows, empty="")
    for title, columns, found in _sections(person):
        if found:
            output.say(f"\n{title}")
            output.table(columns, found, empty="")


#: Fields of a subscriber that have a table of their own.
_ELSEWHERE = ("attributes", "subscriptions", "suppressed")


def _sections(person: Person) -> list[tuple[str, tuple[str, ...], list[tuple[object, ...]]]]:
    return [
        ("Lists", ("list", "state", "since", "mailable", "why"),
         [(each.list, each.state, each.since, "yes" if each.mailable else "no", each.why) for each in person.lists]),
        ("Suppressions", ("reason", "list", "since", "lifted", "source"),
         [(each.reason, each.list or "(everywhere)", each.at, each.lifted_at, each.source)
          for each in person.suppressions]),
        ("Consents", ("when", "event", "list", "by", "words"),
         [(each.at, each.event, each.list, each.method, each.words[:60]) for each in person.consents]),
        ("Confirmations asked by mail", ("when", "list", "until", "answered"),
         [(each.asked_at, each.list, each.expires_at, each.used_at) for each in person.confirmations]),
        ("Deliveries", ("issue", "subject", "state", "when", "reason", "reply"),
         [(each.issue, each.subject, each.state, each.at, each.reason, each.reply) for each in person.deliveries]),
        ("Events", ("when", "what", "issue"), [(each.at, each.kind, each.issue_id) for each in person.events]),
        ("Clicks", ("when", "issue", "link", "by", "why"),
         [(each.at, each.issue, each.url, each.by, each.why) for each in person.clicks]),
    ]  # fmt: skip
