"""Keys by command, and mail that is signed with them."""

import stat
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from newsletter import db
from newsletter.audit import AuditEntry
from newsletter.delivery.keys import Record
from tests.delivery.test_dkim import verified
from tests.support.commands import Desk


def configured(desk: Desk, *lines: str) -> None:
    toml = desk.folder / "newsletter.toml"
    toml.write_text(toml.read_text("utf-8") + "\n" + "\n".join(lines) + "\n", "utf-8")


def test_a_key_by_command_signs_what_is_sent(desk: Desk, tmp_path: Path) -> None:
    rsa = desk.json("dkim", "keygen")
    second = desk.json("dkim", "keygen", "--ed25519")
    assert (rsa["algorithm"], rsa["bits"], rsa["file"]) == ("rsa-sha256", 2048, "keys/dkim-s1.pem")
    assert (second["algorithm"], second["selector"]) == ("ed25519-sha256", "e1")
    assert stat.S_IMODE((desk.folder / "keys" / "dkim-s1.pem").stat().st_mode) == 0o600
    configured(desk, *rsa["settings"], *second["settings"][1:])
    shown = desk.json("dkim", "show")
    assert [each["record"] for each in shown] == [rsa["record"], second["record"]]
    desk.run("compose", "--pick", "cranes", "--subject", "Kräne — und mehr")
    desk.run("issues", "freeze", "1")
    desk.run("send", "1", "--list", "weekly", "--dry-run", str(tmp_path / "out"))
    records = tuple(Record(name=each["record"]["name"], value=each["record"]["value"], strings=()) for each in shown)
    messages = [path.read_bytes() for path in (tmp_path / "out").iterdir()]
    assert len(messages) == 2
    for message in messages:
        assert verified(message, records) == [True, True]


def test_a_key_is_printed_for_dns_and_for_the_settings(desk: Desk) -> None:
    told = desk.run("dkim", "keygen", "--selector", "2026", "--bits", "3072").stdout
    record = 's1._domainkey.news.harbour.example. IN TXT (\n    "v=DKIM1; k=rsa; p='.replace("s1", "2026")
    assert record in told
    lines = ["[dkim]", 'domain = "news.harbour.example"', 'selector = "2026"', 'key = "keys/dkim-2026.pem"']
    assert told.endswith("\n".join(lines) + "\n")
    configured(desk, *lines)
    assert desk.run("dkim", "show").stdout in told
    assert desk.json("dkim", "show")[0]["bits"] == 3072


def test_a_key_is_not_made_twice_nor_under_a_bad_name(desk: Desk) -> None:
    desk.run("dkim", "keygen")
    before = (desk.folder / "keys" / "dkim-s1.pem").read_bytes()
    assert "is there already" in desk.refuses("dkim", "keygen")
    assert (desk.folder / "keys" / "dkim-s1.pem").read_bytes() == before
    assert "--selector ../x is no name for DNS" in desk.refuses("dkim", "keygen", "--selector", "../x", code=2)
    desk.run("dkim", "keygen", "--bits", "512", code=2)


def test_without_keys_there_is_nothing_to_show(desk: Desk) -> None:
    assert desk.json("dkim", "show") == []
    assert desk.run("dkim", "show").stdout.startswith("Mail is not signed here; make a key")


def test_making_a_key_is_an_admins_and_is_on_record(desk: Desk, engine: Engine) -> None:
    desk.run("people", "edit", "mara", "--role", "admin")
    assert "admin" in desk.refuses("dkim", "keygen", "--as", "jonas")
    assert not (desk.folder / "keys" / "dkim-s1.pem").exists()
    desk.run("dkim", "keygen", "--as", "mara")
    with db.reading(engine) as session:
        entry = session.exec(select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(1)).one()
        assert (entry.actor, entry.action, entry.kind, entry.name) == ("mara", "made a key", "dkim", "s1")


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda path: path.chmod(0o644), "chmod 600"),
        (lambda path: path.unlink(), "is missing; restore it"),
        (lambda path: path.write_text("nothing"), "holds no private key in PEM"),
    ],
)
def test_an_unsound_key_stops_a_send_and_doctor_says_so(desk: Desk, break_it: object, says: str) -> None:
    configured(desk, *desk.json("dkim", "keygen")["settings"])
    break_it(desk.folder / "keys" / "dkim-s1.pem")  # type: ignore[operator]
    desk.run("compose", "--pick", "cranes", "--subject", "Cranes")
    desk.run("issues", "freeze", "1")
    assert says in desk.refuses("send", "1", "--test", "me@example.com")
    assert says in desk.run("doctor", code=1).stdout.replace("\n", " ")
