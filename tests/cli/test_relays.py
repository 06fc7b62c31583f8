"""Relays by command: what they are, what stands against them, and whether they take mail."""

from pathlib import Path

from sqlalchemy import Engine

from newsletter import db
from newsletter.delivery import relays
from newsletter.errors import RelayError
from tests.conftest import NOW
from tests.support.commands import Desk
from tests.support.smtp import free_port, serving

SECOND = """
[[relay]]
name = "spare"
host = "127.0.0.1"
port = {port}
tls = "none"
username = "desk"
password_file = "keys/spare"
connections = 3
rate = 2.5
window = "500/10m"
weight = 2
order = 2

[relay.domains."Gmail.com"]
connections = 1
rate = 1
"""


def with_second(desk: Desk, port: int, *, first: int = 2525, password: str = "quay") -> None:
    toml = desk.folder / "newsletter.toml"
    toml.write_text(toml.read_text().replace("port = 2525", f"port = {first}") + SECOND.format(port=port))
    (desk.folder / "keys" / "spare").write_text(f"{password}\n")


def test_relays_are_listed_with_their_limits_and_without_their_secrets(desk: Desk, engine: Engine) -> None:
    with_second(desk, 2526)
    with db.transaction(engine) as session:
        relays.note(session, {"spare": RelayError("535 5.7.8 no", temporary=False)}, now=NOW)
    main, spare = desk.json("relays", "list")
    assert (main["relay"], main["port"], main["tls"], main["connections"], main["state"]) == (
        "main", 2525, "none", 10, "open",
    )  # fmt: skip
    assert (spare["state"], spare["reason"], spare["since"]) == ("paused", "535 5.7.8 no", NOW.isoformat())
    assert (spare["username"], spare["rate"], spare["window"], spare["weight"], spare["order"]) == (
        "desk", 2.5, "500/10m", 2, 2,
    )  # fmt: skip
    assert spare["domains"] == {"gmail.com": {"connections": 1, "rate": 1.0, "window": ""}}
    told = desk.run("relays", "list").stdout
    assert "spare, gmail.com: 1 at once, 1/s" in told
    assert "spare was paused on 2026-11-02 09:00 UTC: 535 5.7.8 no" in told
    assert "tries a paused relay again by itself" in told
    assert "quay" not in told + str(spare)


def test_each_relay_is_tried_for_real(desk: Desk) -> None:
    with serving() as plain, serving(login={"desk": "quay"}, smtputf8=True) as guarded:
        with_second(desk, guarded.port, first=plain.port)
        main, spare = desk.json("relays", "test")
        told = desk.run("relays", "test", "spare").stdout
    assert (main["relay"], main["ok"], main["login"], main["tls"]) == ("main", True, "", "")
    assert (spare["ok"], spare["login"]) == (True, "desk")
    assert "SMTPUTF8" in spare["extensions"]
    assert "SMTPUTF8" not in main["extensions"]
    assert main["size"] > 0
    assert guarded.users == ["desk", "desk"]
    assert plain.accepted == guarded.accepted == []
    assert "spare: takes mail after" in told
    assert "in the clear, logged in as desk" in told


def test_a_relay_that_cannot_be_used_is_told_beside_one_that_can(desk: Desk) -> None:
    with serving() as plain, serving(login={"desk": "harbour"}) as guarded:
        with_second(desk, guarded.port, first=plain.port)
        ended = desk.run("relays", "test", code=1)
        found = desk.json("relays", "test", code=1)
    assert [each["ok"] for each in found] == [True, False]
    assert "535" in found[1]["reason"]
    assert "spare: cannot be used. relay spare at 127.0.0.1:" in ended.stdout
    assert "to mend before a send: spare" in ended.stderr
    assert "correct it in newsletter.toml" in ended.stderr
    assert "again" not in ended.stdout + ended.stderr


def test_a_relay_that_nobody_has_is_not_found(desk: Desk) -> None:
    error = desk.refuses("relays", "test", "other", code=3)
    assert "there is no relay other" in error
    assert "it has main" in error


def test_without_relays_the_way_to_one_is_told(desk: Desk) -> None:
    toml = desk.folder / "newsletter.toml"
    toml.write_text(toml.read_text().partition("[[relay]]")[0])
    assert desk.json("relays", "list") == []
    assert "No relays yet" in desk.run("relays", "list").stdout
    assert "names no relay; add a [[relay]] table" in desk.refuses("relays", "test")
    assert "names no relay" in desk.run("doctor", code=1).stdout.replace("\n", " ")


def test_doctor_tries_every_relay_and_every_key(desk: Desk, tmp_path: Path) -> None:
    with serving() as plain:
        with_second(desk, free_port(), first=plain.port)
        found = {each["part"]: each for each in desk.json("doctor", code=1)}
    assert found["relay main"]["verdict"] == "ok"
    assert "takes mail, in the clear" in found["relay main"]["words"]
    assert found["relay spare"]["verdict"] == "wrong"
    assert "cannot be reached" in found["relay spare"]["words"]
    assert found["relay spare"]["words"].endswith("; correct [[relay]] in newsletter.toml if it is wrong")
