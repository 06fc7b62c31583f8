"""`newsletter doctor`."""

import typer

from newsletter import doctor as doctors
from newsletter.cli import desk, output, shape
from newsletter.doctor import Verdict
from newsletter.errors import Refused

app = shape.verb()


@app.command()
def doctor(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """Look at settings, keys, database, clock and relay, and say what to mend; exits 1 when something is wrong."""
    here = desk.of(ctx)
    found = doctors.examine(here.settings, now=here.now)
    if as_json:
        output.emit(found)
    else:
        output.table(("part", "is", "what"), [(each.part, each.verdict, each.words) for each in found], empty="")
    wrong = [each.part for each in found if each.verdict is Verdict.WRONG]
    if wrong:
        raise Refused(f"to mend before a send: {', '.join(wrong)}")
