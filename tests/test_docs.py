"""The documentation tells what the program does today."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from newsletter.cli import COMMANDS, app
from newsletter.editorial import gate
from newsletter.rendering import checks

ROOT = Path(__file__).parents[1]
TOLD = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("newsletter/**/*.py"), *ROOT.glob("subscribers/*.py")]


def test_the_pages_of_commands_and_rules_are_what_the_program_says_of_itself() -> None:
    run = [sys.executable, str(ROOT / "docs" / "commands.py"), "--check"]
    result = subprocess.run(run, check=False, capture_output=True, text=True)
    assert result.returncode == 0, f"{result.stderr}write it again: python docs/commands.py"


def test_every_rule_of_the_gate_is_in_the_briefing_format() -> None:
    page = (ROOT / "docs" / "briefing-format.md").read_text("utf-8")
    for rule in gate.RULES:
        assert re.search(rf"^\| {rule.id} \| {rule.severity} \| [^|]+ \| {re.escape(rule.why)} \|$", page, re.MULTILINE)


def every(command: Any, *words: str) -> Iterator[tuple[str, Any]]:
    """Yield a command and every command under it, each with the words that call it."""
    yield " ".join(words), command
    for name, verb in getattr(command, "commands", {}).items():
        yield from every(verb, *words, name)


def test_every_command_and_option_has_help() -> None:
    for words, command in every(get_command(app)):
        assert command.help, words
        for option in command.params:
            assert getattr(option, "help", "") or option.hidden, f"{words} {option.name}"


def test_what_a_command_takes_goes_by_a_noun_and_not_by_its_type() -> None:
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert re.findall(r"^Usage: .*(?:\[\[|\{file\}).*$", page, re.MULTILINE) == []
    assert re.findall(r"--[a-z-]+ <list\[(?:str|int)\]>", page) == []


@pytest.mark.parametrize("path", TOLD, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_command_that_is_named_anywhere_exists(path: Path) -> None:
    said = r"(?:[:`;,] |`|\$ |\n)newsletter ([a-z]+(?: [a-z][a-z-]*){0,2})"
    for words in re.findall(said, path.read_text("utf-8")):
        group = get_command(app)
        for word in words.split():
            verbs = getattr(group, "commands", None)
            if verbs is None:
                break
            assert word in verbs, f"newsletter {words}"
            group = verbs[word]


def test_every_part_of_the_road_is_in_the_table() -> None:
    helpers = {
        "__init__", "desk", "editing", "onward", "output", "publishing", "pulses", "rechecking", "reporting", "shape",
        "signing", "sizing", "texts", "trying", "waiving", "watching",
    }  # fmt: skip
    folder = ROOT / "newsletter" / "cli"
    files = {path.stem for path in (*folder.glob("*.py"), *(each.parent for each in folder.glob("*/__init__.py")))}
    assert {noun for section in COMMANDS.values() for noun in section} == files - helpers


def test_every_link_between_the_pages_leads_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_rule_of_the_email_checks_is_in_their_page() -> None:
    page = (ROOT / "docs" / "checks.md").read_text("utf-8")
    for rule in checks.EVERY:
        assert f"| `{rule.id}` | {rule.severity} |" in page
