"""`newsletter demo`."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.demo import walk

app = shape.verb()


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Where; made anew at each run.")] = Path("demo"),
    as_json: desk.Json = False,
) -> None:
    """Walk the whole road on sample data: write, approve, compose, freeze, check, send over SMTP, count."""
    walked = walk.walk(folder.absolute(), tell=lambda text: output.note(f"· {text}"))
    status = walked.status
    if as_json:
        output.emit({**status.as_json(), "filed": walked.filed, "preview": walked.preview, "message": walked.message})
        return
    skipped = ", ".join(f"{count} {reason}" for reason, count in status.reasons.get("skipped", {}).items())
    output.table(
        ("what", "how many or where"),
        [
            ("audience", status.audience),
            ("sent", status.sent),
            ("skipped", f"{status.skipped} ({skipped})"),
            ("failed", status.failed),
            ("messages in the Maildir", walked.filed),
            ("rate", f"{status.rate:.0f} messages/s"),
            ("the whole walk", f"{walked.seconds:.1f} s"),
            ("the issue as HTML", walked.preview),
            ("one received message", walked.message),
        ],
        empty="",
    )
    output.say(f"Everyone is accounted for. Look around: newsletter -C {folder} status {walked.issue}")
