"""What a command loads before it does anything: nothing that only others need."""

import re
import subprocess
import sys

import pytest

#: What takes long to load and is for one thing each: style sheets, pictures, pages, articles, migrations.
HEAVY = ("premailer", "requests", "cssutils", "playwright", "starlette", "trafilatura", "alembic")


def loaded(*words: str) -> set[str]:
    """Return the modules that a command loads."""
    run = [sys.executable, "-X", "importtime", "-m", "newsletter", *words]
    ended = subprocess.run(run, check=True, capture_output=True, text=True)
    return set(re.findall(r"^import time:[^|]*\|[^|]*\| +(\S+)$", ended.stderr, flags=re.MULTILINE))


@pytest.mark.parametrize("noun", ["lists", "issues", "send", "deliver", "status"])
def test_a_command_loads_nothing_that_only_others_need(noun: str) -> None:
    names = loaded(noun, "--help")
    assert "newsletter.settings" in names
    assert {name.partition(".")[0] for name in names}.isdisjoint(HEAVY)


def test_the_table_of_commands_loads_none_of_them() -> None:
    names = loaded("--help")
    assert "newsletter.cli" in names
    assert {"newsletter.db", "sqlalchemy"}.isdisjoint(names)
