"""Keys by command, and mail that is signed with them."""

import re
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import Engine
from sqlmodel import col, select

from newsletter import db
from newsletter.audit import AuditEntry
from newsletter.delivery.keys import Record
from tests.delivery.test_dkim import verified
from tests.support.commands import Desk
from tests.support.smtp import serving

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # keys and what they sign are no rows


def configured(desk: Desk, *lines: str) -> None:
    toml = desk.folder / "newsletter.toml"
    toml.write_text(toml.read_text("utf-8") + "\n" + "\n".join(lines) + "\n", "utf-8")


def relayed(desk: Desk, port: int) -> None:
    toml = desk.folder / "newsletter.toml"
    toml.write_text(re.sub(r"(?m)^port = \d+", f"port = {port}", toml.read_text("utf-8")), "utf-8")


@SQLITE
def test_a_key_by_command_signs_what_is_sent(desk: Desk, tmp_path: Path) -> None:
    first = desk.json("dkim", "keygen")
    second = desk.json("dkim", "keygen", "--ed25519")
    assert (first["algorithm"], first["bits"], first["file"]) == ("rsa-sha256", 2048, "keys/dkim-s1.pem")
    assert (second["algorithm"], second["selector"]) == ("ed25519-sha256", "e1")
    assert stat.S_IMODE((desk.folder / "keys" / "dkim-s1.pem").stat().st_mode) == 0o600
    configured(desk, *first["settings"], *second["settings"][1:])
    shown = desk.json("dkim", "show")
    assert [each["record"] for each in shown] == [first["record"], second["record"]]
    desk.run("compose", "--pick", "cranes", "--subject", "Kräne — und mehr")
    desk.run("issues", "freeze", "1")
    desk.run("send", "1", "--list", "weekly", "--dry-run", str(tmp_path / "out"))
    records = tuple(Record(name=each["record"]["name"], value=each["record"]["value"], strings=()) for each in shown)
    messages = [path.read_bytes() for path in (tmp_path / "out").iterdir()]
    assert len(messages) == 2
    for message in messages:
        assert verified(message, records) == [True, True]


@SQLITE
def test_a_test_copy_is_signed_as_it_arrives(desk: Desk) -> None:
    made = desk.json("dkim", "keygen")
    configured(desk, *made["settings"])
    desk.run("compose", "--pick", "cranes", "--subject", "Cranes")
    desk.run("issues", "freeze", "1")
    with serving() as server:
        relayed(desk, server.port)
        desk.run("send", "1", "--test", "me@example.com")
    record = Record(name=made["record"]["name"], value=made["record"]["value"], strings=())
    assert verified(server.accepted[0].data, (record,)) == [True]


def told_of_dkim(desk: Desk) -> tuple[str, str]:
    (desk.folder / "keys" / "links.key").chmod(0o600)
    with serving() as server:
        relayed(desk, server.port)
        (found,) = [each for each in desk.json("doctor") if each["part"] == "dkim"]
    return found["verdict"], found["words"]


@SQLITE
def test_doctor_says_by_which_keys_mail_is_signed(desk: Desk) -> None:
    assert told_of_dkim(desk)[1].startswith("mail is not signed here, so the relay has to; or make a key")
    configured(desk, *desk.json("dkim", "keygen")["settings"])
    configured(desk, *desk.json("dkim", "keygen", "--ed25519")["settings"][1:])
    verdict, words = told_of_dkim(desk)
    assert verdict == "ok"
    assert "news.harbour.example by s1 (rsa-sha256, 2048 bits), e1 (ed25519-sha256, 256 bits)" in words
    assert words.endswith("DNS was not asked, so compare what it has with newsletter dkim show")


@SQLITE
def test_doctor_doubts_a_short_key_and_a_domain_that_is_not_the_senders(desk: Desk) -> None:
    lines = desk.json("dkim", "keygen")["settings"]
    configured(desk, *(line.replace('"news.harbour', '"quay') for line in lines))
    verdict, words = told_of_dkim(desk)
    assert verdict == "warn"
    assert "signed for quay.example and comes from news.harbour.example" in words
    toml = desk.folder / "newsletter.toml"
    toml.write_text(toml.read_text().replace('"quay.example', '"harbour.example'))
    assert told_of_dkim(desk)[0] == "ok"  # within one organisation
    short = rsa.generate_private_key(65537, 1024)
    pem = short.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (desk.folder / "keys" / "dkim-s1.pem").write_bytes(pem)
    verdict, words = told_of_dkim(desk)
    assert verdict == "warn"
    assert "the key of s1 has 1024 bits, and mailbox providers ask for 2048" in words


@SQLITE
def test_a_key_is_printed_for_dns_and_for_the_settings(desk: Desk) -> None:
    told = desk.run("dkim", "keygen", "--selector", "2026", "--bits", "3072").stdout
    record = 's1._domainkey.news.harbour.example. IN TXT (\n    "v=DKIM1; k=rsa; p='.replace("s1", "2026")
    assert record in told
    assert "newsletter doctor then signs with the key; it does not ask DNS" in told
    lines = ["[dkim]", 'domain = "news.harbour.example"', 'selector = "2026"', 'key = "keys/dkim-2026.pem"']
    assert told.endswith("\n".join(lines) + "\n")
    configured(desk, *lines)
    assert desk.run("dkim", "show").stdout in told
    assert desk.json("dkim", "show")[0]["bits"] == 3072


@SQLITE
def test_a_key_beside_another_goes_under_the_table_that_is_there(desk: Desk) -> None:
    configured(desk, *desk.json("dkim", "keygen")["settings"])
    for words, lines in (
        (("--ed25519",), ['ed25519_selector = "e1"', 'ed25519_key = "keys/dkim-e1.pem"']),
        (("--selector", "s2"), ['selector = "s2"', 'key = "keys/dkim-s2.pem"']),
    ):
        told = desk.run("dkim", "keygen", *words).stdout
        assert "put these under the [dkim] that is in newsletter.toml" in told
        assert told.endswith("\n\n" + "\n".join(lines) + "\n")
    configured(desk, 'ed25519_selector = "e1"', 'ed25519_key = "keys/dkim-e1.pem"')
    assert [each["selector"] for each in desk.json("dkim", "show")] == ["s1", "e1"]
    configured(desk, "[dkim]")
    assert "[dkim] stands there already, and cannot begin again at line " in desk.refuses("dkim", "show")


@SQLITE
def test_a_key_is_not_made_twice_nor_under_a_bad_name(desk: Desk) -> None:
    desk.run("dkim", "keygen")
    before = (desk.folder / "keys" / "dkim-s1.pem").read_bytes()
    assert "is there already" in desk.refuses("dkim", "keygen")
    assert (desk.folder / "keys" / "dkim-s1.pem").read_bytes() == before
    assert "--selector ../x is no name for DNS" in desk.refuses("dkim", "keygen", "--selector", "../x", code=2)
    desk.run("dkim", "keygen", "--bits", "512", code=2)


@SQLITE
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


@SQLITE
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
