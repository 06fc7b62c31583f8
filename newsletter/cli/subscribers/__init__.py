"""`newsletter subscribers`."""

from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.cli.subscribers import attributes, exporting, importing, persons
from newsletter.cli.subscribers.options import Address, Lists, pairs
from newsletter.editorial.models import Role
from newsletter.errors import UsageError
from newsletter.feedback import leaving
from newsletter.words import counted
from subscribers import changes, lists, subscribers
from subscribers.changes import Change
from subscribers.models import Frequency

app = shape.noun("subscribers")
attributes.register(app)
exporting.register(app)
importing.register(app)
persons.register(app)

Attributes = Annotated[
    list[str] | None,
    typer.Option("--attribute", metavar="NAME=VALUE", help="A declared attribute; may be given again."),
]


@app.command()
def add(
    ctx: typer.Context,
    email: Address,
    on: Lists,
    basis: Annotated[
        str, typer.Option("--consent-basis", help="How they agreed, for the consent record.")
    ] = "added by hand",
    name: Annotated[str, typer.Option(help="Their name.")] = "",
    topic: Annotated[
        list[str] | None, typer.Option(metavar="TOPIC", help="What they read about; may be given again.")
    ] = None,
    country: Annotated[str, typer.Option(help="Two letters, such as DE.")] = "",
    language: Annotated[str, typer.Option(help="Such as en or de.")] = "",
    audience: Annotated[str, typer.Option(help="Their role, such as chip-buyers.")] = "",
    attribute: Attributes = None,
    resubscribe: Annotated[bool, typer.Option("--resubscribe", help="They left before, and asked to return.")] = False,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Add one person who agreed to be mailed."""
    here = desk.of(ctx)
    with here.acting(as_, Role.ADMIN) as act:
        added = subscribers.add(
            act.session, email, lists=on, topics=topic or [], name=name, country=country, language=language,
            audience=audience, attributes=pairs(attribute), basis=basis, resubscribe=resubscribe,
            keyring=here.keyring, now=act.now,
        )  # fmt: skip
        act.record("added", "subscriber", added.id, lists=on, resubscribed=resubscribe)
    if as_json:
        output.emit(added)
    else:
        output.say(f"{added.email} is on {', '.join(on)}")


@app.command()
def edit(
    ctx: typer.Context,
    email: Address,
    new: Annotated[str | None, typer.Option("--email", metavar="ADDRESS", help="Their new address.")] = None,
    name: Annotated[str | None, typer.Option(help="Their name.")] = None,
    topic: Annotated[
        list[str] | None, typer.Option(metavar="TOPIC", help="What they read about, too; may be given again.")
    ] = None,
    no_topic: Annotated[
        list[str] | None, typer.Option(metavar="TOPIC", help="What no more; may be given again.")
    ] = None,
    country: Annotated[str | None, typer.Option(help="Two letters, such as DE.")] = None,
    language: Annotated[str | None, typer.Option(help="Such as en or de.")] = None,
    audience: Annotated[str | None, typer.Option(help="Their role, such as chip-buyers.")] = None,
    frequency: Annotated[Frequency | None, typer.Option(help="How often they want to hear.")] = None,
    attribute: Attributes = None,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Change what is known of one person; an empty text empties a field."""
    here = desk.of(ctx)
    change = Change(
        email=new, name=name, topics=topic or (), not_topics=no_topic or (), country=country, language=language,
        audience=audience, frequency=frequency, attributes=pairs(attribute),
    )  # fmt: skip
    if not change.fields():
        raise UsageError(f"say what is to be different, such as: newsletter subscribers edit {email} --country DE")
    with here.acting(as_, Role.ADMIN) as act:
        changed = changes.apply(act.session, email, change, keyring=here.keyring)
        act.record("changed", "subscriber", changed.id, fields=change.fields())
    if as_json:
        output.emit(changed)
    else:
        output.say(f"{changed.email} is changed; see them: newsletter subscribers show {changed.email}")


@app.command()
def unsubscribe(
    ctx: typer.Context,
    email: Address,
    on: Annotated[str, typer.Option("--list", metavar="LIST", help="From this list; else from all.")] = "",
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Take one person off a list, or off all, because they asked for it; no import brings them back."""
    with desk.of(ctx).acting(as_, Role.ADMIN) as act:
        person = subscribers.find(act.session, email)
        word: leaving.Word = {"method": f"by hand, {act.who}"[:80], "now": act.now, "ip": "", "user_agent": ""}
        if on:
            number = lists.id_of(act.session, on)
            left = int(leaving.leave(act.session, subscriber_id=person.id, list_id=number, **word))
        else:
            left = leaving.leave_all(act.session, subscriber_id=person.id, **word)
        act.record("unsubscribed", "subscriber", person.id, list=on, lists=left)
    if as_json:
        output.emit({"subscriber": email, "list": on, "left": left})
    else:
        where = on or counted(left, "list")
        output.say(f"{email} is off {where}" if left else f"{email} was on no such list; nothing changed")


@app.command("list")
def list_(
    ctx: typer.Context,
    on: Annotated[str, typer.Option("--list", metavar="LIST", help="Only this list.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=desk.LARGEST)] = 50,
    after: Annotated[int, typer.Option(help="Go on after this number.", min=0, max=desk.LARGEST)] = 0,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """List subscribers in the order they came."""
    with desk.of(ctx).seeing(as_, Role.ADMIN) as session:
        found = subscribers.all(session, list=on or None, limit=limit, after=after)
    if as_json:
        output.emit(found)
        return
    rows = [
        (each.id, each.email, each.name, [f"{name}: {state}" for name, state in each.subscriptions.items()],
         each.topics, each.suppressed)
        for each in found
    ]  # fmt: skip
    output.table(("no", "address", "name", "lists", "topics", "suppressed"), rows, empty="No subscribers here yet")
    if len(found) == limit:
        output.note(f"more: newsletter subscribers list --after {found[-1].id}")
