"""Write docs/commands.md from the commands' own help, so that the two never differ."""

import sys
from pathlib import Path

from typer.testing import CliRunner

from newsletter.cli import COMMANDS, app

HEAD = """\
# Commands

Written from `--help` by `python docs/commands.py`. Wherever a person acts, `--as PERSON` or `NEWSLETTER_ACTOR` says
who. Exit codes: 0 done, 1 refused or found wanting, 2 usage, 3 not found, 4 partly sent. `--json` prints one document
on stdout; progress and errors go to stderr.
"""


def helped(*words: str) -> str:
    """Return the help of one command as it prints."""
    result = CliRunner().invoke(app, [*words, "--help"], prog_name="newsletter", terminal_width=100)
    return "\n".join(line.rstrip() for line in result.output.strip().splitlines())


def verbs(text: str) -> list[str]:
    """Return the commands that a group's help lists."""
    _, _, listed = text.partition("Commands:\n")
    return [line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " "]


def document() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for section, nouns in COMMANDS.items():
        parts.append(f"## {section}\n")
        for noun in nouns:
            text = helped(noun)
            parts.append(f"### newsletter {noun}\n\n```text\n{text}\n```\n")
            parts += [f"```text\n{helped(noun, verb)}\n```\n" for verb in verbs(text)]
    return "\n".join(parts)


if __name__ == "__main__":
    target = Path(__file__).with_name("commands.md")
    if "--check" in sys.argv:
        sys.exit(target.read_text("utf-8") != document())
    target.write_text(document(), "utf-8")
