"""`newsletter dkim`."""

from typing import Annotated, Any

import typer

from newsletter.cli import desk, output, shape
from newsletter.delivery import keys
from newsletter.delivery.keys import SigningKey
from newsletter.editorial.models import Role
from newsletter.errors import UsageError
from newsletter.settings import FILE
from newsletter.transport import SELECTOR
from subscribers import addresses

app = shape.noun("dkim")


@app.command()
def keygen(
    ctx: typer.Context,
    selector: Annotated[
        str, typer.Option(help="The name of the key in DNS, a new one for each key; else s1, or e1 for Ed25519.")
    ] = "",
    ed25519: Annotated[
        bool, typer.Option("--ed25519", help="A key for a second signature, beside that of an RSA key.")
    ] = False,
    bits: Annotated[int, typer.Option(help="How long an RSA key is.", min=keys.ADVISED, max=keys.MOST)] = keys.ADVISED,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Make a key to sign mail with, and print its record for DNS and its lines for newsletter.toml."""
    here = desk.of(ctx)
    selector = selector or ("e1" if ed25519 else "s1")
    if not SELECTOR.fullmatch(selector):
        raise UsageError(f"--selector {selector} is no name for DNS; write letters, digits and hyphens, such as s2")
    domain, file = _domain(here), f"keys/dkim-{selector}.pem"
    with here.acting(as_, Role.ADMIN) as act:
        made = keys.create(here.settings.path(file), domain=domain, selector=selector, ed25519=ed25519, bits=bits)
        act.record("made a key", "dkim", selector, algorithm=made.algorithm, bits=made.bits)
    lines = _lines(made, file)
    if as_json:
        output.emit({**_described(made), "file": file, "settings": lines})
        return
    output.say(f"The key is in {file}. Keep it where nobody else can read it.\n\nPut this record into DNS:\n")
    output.say(_zone(made))
    where = f"put this into {FILE}"
    if here.settings.dkim:  # a table cannot begin twice, and its domain stays
        where = f"put these under the [dkim] that is in {FILE}, in the place of those of the same name"
        lines = [each for each in lines[1:] if not each.startswith("domain")]
    output.say(f"\nOnce DNS has it, {where}. newsletter doctor then signs with the key; it does not ask DNS:\n")
    output.say("\n".join(lines))


@app.command()
def show(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """Print the records for DNS of the keys that sign mail now."""
    found = keys.of(desk.of(ctx).settings)
    if as_json:
        output.emit([_described(key) for key in found])
        return
    for key in found:
        output.say(_zone(key))
    if not found:
        output.say("Mail is not signed here; make a key: newsletter dkim keygen")


def _domain(here: desk.Desk) -> str:
    """Return the domain to sign for: that of the keys there are, else that of the mail's sender."""
    if here.settings.dkim:
        return here.settings.dkim.domain
    here.settings.require("sender.from", "a key for mail")
    return addresses.domain(here.settings.sender.domain)


def _described(key: SigningKey) -> dict[str, Any]:
    return {
        "domain": key.domain,
        "selector": key.selector,
        "algorithm": key.algorithm,
        "bits": key.bits,
        "record": key.record,
    }


def _lines(key: SigningKey, file: str) -> list[str]:
    """Return what newsletter.toml says of the key; a second one's lines go beside those of an RSA key."""
    if key.algorithm == "rsa-sha256":
        return ["[dkim]", f'domain = "{key.domain}"', f'selector = "{key.selector}"', f'key = "{file}"']
    return ["[dkim]", f'ed25519_selector = "{key.selector}"', f'ed25519_key = "{file}"']


def _zone(key: SigningKey) -> str:
    """Return the record as a zone file has it (RFC 1035 5.1)."""
    strings = "\n".join(f'    "{string}"' for string in key.record.strings)
    return f"{key.record.name}. IN TXT (\n{strings}\n)"
