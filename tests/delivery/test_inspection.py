"""What is held against an issue: the wire rules on real messages, and all of it by number."""

import re
from collections.abc import Callable

import pytest

from newsletter.delivery import inspection
from newsletter.errors import SettingsError
from newsletter.rendering import checks, press
from newsletter.settings import Settings
from subscribers.tokens import Keyring
from tests.conftest import NOW
from tests.rendering import samples


@pytest.fixture
def desk(tmp_path) -> Settings:  # type: ignore[no-untyped-def]  # noqa: ANN001
    return samples.publication(tmp_path)


@pytest.fixture
def wire(desk: Settings) -> bytes:
    """Return a sample reader's message."""
    rendered = press.render(samples.issue(), desk, samples.LINKS, dated=samples.DATED)
    return inspection.specimen(rendered, 12, desk, keyring=Keyring(keys={1: b"k" * 32}, newest=1), now=NOW)


def test_a_sound_message_passes_without_a_word(desk: Settings, wire: bytes) -> None:
    assert checks.check_message(wire, desk) == []


def change(pattern: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Return a change of the message that must find something to change."""

    def changed(message: bytes) -> bytes:
        made, number = re.subn(pattern, new, message, count=1)
        assert number
        return made

    return changed


FAULTS = [
    ("email.headers", change(rb"Message-ID: .*\r\n", b"")),
    ("email.headers", change(rb"(Subject: .*\r\n)", rb"\1\1")),
    ("email.headers", change(rb"List-Unsubscribe-Post: .*\r\n", b"")),
    ("email.headers", change(rb"List-Id: .*\r\n", b"")),
    ("email.one_click", change(rb"List-Unsubscribe: <https", b"List-Unsubscribe: <http")),
    ("email.one_click", change(rb"(List-Unsubscribe: <[^>]*>)", rb"\1, <mailto:a@example.com>")),
    ("email.one_click", change(rb"=One-Click", b"=One")),
    ("email.header_encoded", change(rb"List-Id: .*\r\n", b"List-Id: <=?utf-8?q?a?=.example.com>\r\n")),
    ("email.line_break", change(rb"Precedence: bulk\r\n", b"Precedence: bulk\n")),
    ("email.line_break", change(rb"(quoted-printable\r\n\r\n)", rb"\1a\rb")),
    ("email.line_long", change(rb"Precedence: bulk", b"Precedence: " + b"x" * 990)),
    ("email.transfer", change(rb"Content-Transfer-Encoding: quoted-printable", b"Content-Transfer-Encoding: 8bit")),
    ("email.alternatives", change(rb"text/plain", b"text/html")),
]


@pytest.mark.parametrize(("rule", "fault"), FAULTS)
def test_a_fault_of_the_wire_is_found_by_its_rule(
    desk: Settings, wire: bytes, rule: str, fault: Callable[[bytes], bytes]
) -> None:
    found = checks.check_message(fault(wire), desk)
    assert {each.rule for each in found} == {rule}
    assert all(checks.blocks(each) for each in found)


def test_every_rule_of_the_wire_is_seen_to_fire() -> None:
    assert {rule.id for rule in checks.wire.RULES} == {rule for rule, _ in FAULTS}


def test_the_words_before_a_lists_identifier_may_be_encoded(desk: Settings, wire: bytes) -> None:
    made = change(rb"List-Id: .*\r\n", b"List-Id: =?utf-8?q?caf=C3=A9?= <a.example.com>\r\n")(wire)
    assert checks.check_message(made, desk) == []


def test_a_rule_that_warns_can_be_told_to_block(desk: Settings) -> None:
    content = samples.one(samples.COLD, preheader="")
    rendered = press.render(content, desk, samples.LINKS)
    assert [checks.blocks(each) for each in checks.check(content, rendered, desk)] == [False]
    strict = desk.model_copy(update={"check": desk.check.model_copy(update={"block": ("email.preheader",)})})
    assert [checks.blocks(each) for each in checks.check(content, rendered, strict)] == [True]


def test_a_rule_that_is_none_is_refused_by_name(desk: Settings) -> None:
    content = samples.issue()
    strict = desk.model_copy(update={"check": desk.check.model_copy(update={"block": ("email.fonts",)})})
    with pytest.raises(SettingsError, match=r"names email\.fonts, which is no rule; did you mean email\.font\?"):
        checks.check(content, press.render(content, desk, samples.LINKS), strict)


def test_what_the_press_says_of_a_template_becomes_findings_with_file_and_line(desk: Settings) -> None:
    told = "/p/templates/x/issue.mjml.j2:7: <mj-foo> is no MJML component\n/p/a.css:3: @import cannot stand here"
    assert [(each.where, each.message) for each in checks.broken(told, desk)] == [
        ("/p/templates/x/issue.mjml.j2:7", "<mj-foo> is no MJML component"),
        ("/p/a.css:3", "@import cannot stand here"),
    ]
    assert [each.where for each in checks.broken("all is lost", desk)] == ["template"]


def test_every_rule_has_an_id_of_its_own_and_says_what_why_and_what_next() -> None:
    assert len({rule.id for rule in checks.EVERY}) == len(checks.EVERY)
    for rule in checks.EVERY:
        assert rule.what, rule.id
        assert rule.why, rule.id
        assert rule.next, rule.id
