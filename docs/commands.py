"""Write docs/commands.md from the commands' own help, and the tables of rules into their pages: they never differ."""

import sys
from collections.abc import Iterator
from pathlib import Path

from typer.testing import CliRunner

from newsletter.cli import COMMANDS, app
from newsletter.editorial.gate import RULES, Stage
from newsletter.rendering import checks

HEAD = """\
# Commands

Written from `--help` by `python docs/commands.py`. A command with `--as PERSON` records who acts: that person, else
`NEWSLETTER_ACTOR`, else the user of the operating system. Exit codes: 0 done, 1 refused or found wanting, 2 usage, 3
not found, 4 partly sent. `--json` prints one document on stdout; progress and errors go to stderr.
"""

BEGIN = "<!-- rules: written by `python docs/commands.py` from newsletter/editorial/gate.py -->"
BEGIN_CHECKS = "<!-- rules: written by `python docs/commands.py` from newsletter/rendering/checks -->"
END = "<!-- end of rules -->"


def helped(*words: str) -> str:
    """Return the help of one command as it prints."""
    result = CliRunner().invoke(app, [*words, "--help"], prog_name="newsletter", terminal_width=100)
    return "\n".join(line.rstrip() for line in result.output.strip().splitlines())


def verbs(text: str) -> list[str]:
    """Return the commands that a group's help lists."""
    _, _, listed = text.partition("Commands:\n")
    return [line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " "]


def every(*words: str) -> Iterator[str]:
    """Yield the help of a command, and of every command under it."""
    text = helped(*words)
    yield text
    for verb in verbs(text):
        yield from every(*words, verb)


def document() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for section, nouns in COMMANDS.items():
        parts.append(f"## {section}\n")
        for noun in nouns:
            head, *rest = every(noun)
            parts.append(f"### newsletter {noun}\n\n```text\n{head}\n```\n")
            parts += [f"```text\n{text}\n```\n" for text in rest]
    return "\n".join(parts)


def rules() -> str:
    """Return the table of the standards gate."""
    stages = {Stage.CONTENT: "a text", Stage.ISSUE: "an issue"}
    rows = [
        f"| {rule.id} | {rule.severity} | {', '.join(stages[stage] for stage in rule.stages)} | {rule.why} |"
        for rule in RULES
    ]
    return "\n".join(["| rule | severity | of | so that |", "|---|---|---|---|", *rows])


def email_rules() -> str:
    """Return the table of the email checks."""
    told = [(f"`{rule.id}`", rule.severity, rule.what, rule.why, rule.next) for rule in checks.EVERY]
    rows = [" | ".join(cell.replace("<", "&lt;").replace("|", "\\|") for cell in cells) for cells in told]
    head = "| rule | severity | finds | why it matters | what to do |\n|---|---|---|---|---|"
    return "\n".join([head, *(f"| {row} |" for row in rows)])


def between(path: Path, begin: str, table: str) -> str:
    """Return a page with a table between its markers."""
    head, found, rest = path.read_text("utf-8").partition(begin)
    _, end, tail = rest.partition(END)
    if not (found and end):
        raise SystemExit(f"docs/{path.name} has lost a marker: {begin} or {END}")
    return f"{head}{found}\n{table}\n{end}{tail}"


def pages() -> dict[Path, str]:
    """Return the text of each page that is written here."""
    folder = Path(__file__).parent
    briefing, issue = folder / "briefing-format.md", folder / "checks.md"
    return {
        folder / "commands.md": document(),
        briefing: between(briefing, BEGIN, rules()),
        issue: between(issue, BEGIN_CHECKS, email_rules()),
    }


if __name__ == "__main__":
    made = pages()
    if "--check" in sys.argv:
        stale = [path.name for path, text in made.items() if path.read_text("utf-8") != text]
        sys.exit(f"out of date: {', '.join(stale)}" if stale else 0)
    for path, text in made.items():
        path.write_text(text, "utf-8")
