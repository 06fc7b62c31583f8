"""The page of settings has every key that newsletter.toml takes."""

import re
from pathlib import Path

import pytest

from newsletter.hooks import Webhook
from newsletter.recurring import Recurring
from newsletter.rights import Right
from newsletter.sections import Section
from newsletter.settings import Archive, Check, Database, Keys, Publication, Sender, Web
from newsletter.tracking import Tracking
from newsletter.transport import Dkim, Relay, Sending

PAGE = (Path(__file__).parents[1] / "docs" / "settings.md").read_text("utf-8")
ROWS = [row.split("|")[1] for row in PAGE.splitlines() if row.startswith("| `")]


@pytest.mark.parametrize(
    "section",
    [Publication, Sender, Database, Relay, Webhook, Recurring, Sending, Check, Dkim, Keys, Web, Archive, Right],
)
def test_every_key_has_a_row(section: type[Section]) -> None:
    told = {name for row in ROWS for name in re.findall(r"([a-z0-9_]+)(?=`)", row)}
    assert {field.alias or name for name, field in section.model_fields.items()} - {"domains"} <= told


@pytest.mark.parametrize("section", [Relay, Sending, Archive, Tracking])
def test_every_default_is_the_one_that_is_told(section: type[Section]) -> None:
    for name, field in section.model_fields.items():
        if field.is_required() or field.default in ("", (), None) or name == "domains":
            continue
        row = next(line for line in PAGE.splitlines() if re.match(rf"\| (`\[.*\] |`){name}`", line))
        told = row.split("|")[2].strip().strip("`")
        assert told in (str(field.default), str(list(field.default)) if isinstance(field.default, tuple) else ""), name
