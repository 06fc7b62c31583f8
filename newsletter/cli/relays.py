"""`newsletter relays`."""

from typing import Annotated, Any

import typer

from newsletter.cli import desk, output, shape
from newsletter.delivery import probes, relays
from newsletter.delivery.probes import Probe
from newsletter.delivery.relays import Trouble
from newsletter.errors import Refused
from newsletter.settings import FILE
from newsletter.transport import Lane, Relay

app = shape.noun("relays")


@app.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List the relays with their limits, and which of them is paused since it refused."""
    here = desk.of(ctx)
    with here.read() as session:
        against = relays.troubles(session)
    found = [(relay, against.get(relay.name)) for relay in here.settings.relay]
    if as_json:
        output.emit([_described(relay, trouble) for relay, trouble in found])
        return
    output.table(
        ("relay", "at", "tls", "login", "connections", "rate", "window", "weight", "order", "state"),
        [_row(relay, trouble) for relay, trouble in found],
        empty="No relays yet; add a [[relay]] table to newsletter.toml",
    )
    for relay, trouble in found:
        for domain, lane in relay.domains.items():
            output.say(f"{relay.name}, {domain}: {_limits(lane)}")
        if trouble:
            output.say(f"{relay.name} was paused on {trouble.changed_at:%Y-%m-%d %H:%M} UTC: {trouble.reason}")
    if any(trouble for _, trouble in found):
        output.say("A send tries a paused relay again by itself; to try it now: newsletter relays test")


@app.command("test")
def test_(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Only this relay.")] = "",
    as_json: desk.Json = False,
) -> None:
    """Connect to each relay, log in, and say what it offers; nothing is sent. Exits 1 when one cannot be used."""
    settings = desk.of(ctx).settings
    found = probes.probe(settings, probes.choose(settings, name))
    if as_json:
        output.emit(found)
    else:
        for each in found:
            output.say(_told(each))
    failed = [each.relay for each in found if not each.ok]
    if failed:
        raise Refused(
            f"to mend before a send: {', '.join(failed)}; what each said stands above. Where its [[relay]] is wrong, "
            f"correct it in {FILE}"
        )


def _told(probe: Probe) -> str:
    if not probe.ok:
        return f"{probe.relay}: cannot be used. {probe.reason}"
    how = [probe.tls or "in the clear", f"logged in as {probe.login}" if probe.login else "without login"]
    if probe.size:
        how.append(f"messages of up to {probe.size:,} bytes")
    offers = ", ".join(probe.extensions) or "no extensions"
    return f"{probe.relay}: takes mail after {probe.seconds * 1000:.0f} ms, {', '.join(how)}; it offers {offers}"


def _described(relay: Relay, trouble: Trouble | None) -> dict[str, Any]:
    keys = ("host", "port", "tls", "auth", "username", "connections", "rate", "window", "weight", "order")
    return {
        "relay": relay.name,
        **{key: getattr(relay, key) for key in keys},
        "messages_per_connection": relay.messages_per_connection,
        "in_flight": relay.in_flight,
        "domains": {domain: lane.model_dump() for domain, lane in relay.domains.items()},
        "state": "paused" if trouble else "open",
        "reason": trouble.reason if trouble else "",
        "since": trouble.changed_at if trouble else None,
    }


def _row(relay: Relay, trouble: Trouble | None) -> tuple[object, ...]:
    rate, window = (f"{relay.rate:g}/s" if relay.rate else "-"), relay.window or "-"
    at, login = f"{relay.host}:{relay.port}", relay.username or "-"
    state = "paused" if trouble else "open"
    return relay.name, at, relay.tls, login, relay.connections, rate, window, relay.weight, relay.order, state


def _limits(lane: Lane) -> str:
    found = [
        f"{lane.connections} at once" if lane.connections else "",
        f"{lane.rate:g}/s" if lane.rate else "",
        lane.window,
    ]
    return ", ".join(each for each in found if each) or "no limits of its own"
