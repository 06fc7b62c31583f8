"""How fast the pages answer, beside a bare route that reads one row: see README.md.

`python bench/web.py [--seconds 4] [--rounds 3] [--readers 20000] [--on sqlite|postgresql]`; needs wrk. As a program of
its own it is the server: `python bench/web.py --serve FOLDER bare|desk`.
"""

import argparse
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from sqlalchemy import Engine, text

from bench import crowd, databases
from newsletter import db, publication
from newsletter.editorial import approvals, briefings, people
from newsletter.issues import contents, issues
from newsletter.issues.issues import Words
from newsletter.rendering import press
from newsletter.settings import Settings, load
from newsletter.web import serve
from newsletter.web.app import create
from subscribers import tokens
from subscribers.tokens import Purpose

ROOT = Path(__file__).parents[1]
TEXTS = ROOT / "newsletter" / "demo" / "briefings"
CONNECTIONS = 16
#: Takes the next line of a file of paths for each request; where it has no more, it begins again.
_NEXT = """\
local paths, next = {}, 0
for line in io.lines("{file}") do paths[#paths + 1] = line end
wrk.method, wrk.body = "{method}", "{body}"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
request = function() next = next + 1; return wrk.format(nil, paths[(next - 1) % #paths + 1]) end
"""


def desk(folder: Path, engine: Engine, readers: int) -> Settings:
    """Return a publication of so many readers with the demo's briefings sent, two in an issue."""
    now = datetime.now(UTC)
    publication.create(
        folder, name="Bench", url="https://news.example.com", postal_address="1 Bench Street",
        sender="Bench <desk@news.example.com>", relay='[[relay]]\nname = "main"\nhost = "127.0.0.1"\ntls = "none"\n',
    )  # fmt: skip
    settings = load(folder, {"NEWSLETTER_DATABASE_URL": engine.url.render_as_string(hide_password=False)})
    crowd.fill(engine, readers, now=now)
    with engine.begin() as connection:
        connection.execute(text("UPDATE issue SET state = 'cancelled'"))  # those of the crowd say nothing
        connection.execute(text("UPDATE subscription SET state = 'confirmed'"))
    paths = sorted(TEXTS.glob("*.md"))
    with db.transaction(engine) as session:
        for handle in ("mara", "jonas", "ben"):
            people.add(session, handle, now=now)
        for path in paths:
            briefings.import_file(session, path, folder=settings.briefings, actor="mara", now=now)
            briefings.submit(session, path.stem, actor="mara", now=now)
            approvals.approve(session, path.stem, actor="ben", solo=False, now=now)
    keyring = publication.keyring(settings)
    for first in range(0, len(paths), 2):
        with db.transaction(engine) as session:
            picks = [path.stem for path in paths[first : first + 2]]
            made = issues.compose(session, picks, words=Words(), actor="mara", now=now).id
            press.freeze(session, made, settings, keyring=keyring, actor="mara", now=now)
            contents.begin_sending(session, made, actor="mara", now=now)
            contents.close(session, made, actor="mara", now=now)
    return settings


def bare(engine: Engine) -> FastAPI:
    """Return an app with one route that reads one row by its key."""
    app = FastAPI()

    @app.get("/rows/{number}")
    def row(number: int) -> PlainTextResponse:
        with engine.connect() as connection:
            found = connection.execute(text("SELECT email FROM subscriber WHERE id = :id"), {"id": number}).scalar()
        return PlainTextResponse(str(found))

    return app


def answer(folder: Path, kind: str) -> None:
    """Answer on a free port until the input ends; print the port first, and the peak memory last."""
    settings = load(folder, os.environ)
    engine = db.engine(settings)
    engine = engine.execution_options(read_only=True) if kind == "bare" else engine
    server = uvicorn.Server(serve.config(bare(engine) if kind == "bare" else create(settings, engine)))
    with serve.listen("127.0.0.1", 0) as listener:
        print(listener.getsockname()[1], flush=True)
        server.run(sockets=[listener])


@contextmanager
def serving(settings: Settings, kind: str) -> Iterator[tuple[str, int]]:
    """Run a server for the length of the block; give its address and its process."""
    environ = {**os.environ, "NEWSLETTER_DATABASE_URL": settings.database.url, "PYTHONPATH": str(ROOT)}
    run = [sys.executable, __file__, "--serve", str(settings.folder), kind]
    with subprocess.Popen(run, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environ) as server:
        assert server.stdout
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}", server.pid
        finally:
            server.terminate()


def asked(address: str, paths: list[str], folder: Path, *, seconds: int, body: str = "") -> float:
    """Return how many requests a second are answered, each for the next path; refuse any that fails."""
    file, script = folder / "paths.txt", folder / "paths.lua"
    file.write_text("\n".join(paths))
    for name, value in {"file": str(file), "method": "POST" if body else "GET", "body": body}.items():
        script.write_text((script.read_text() if name != "file" else _NEXT).replace(f"{{{name}}}", value))
    run = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), address]
    said = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: .*", said)
    if failed:
        raise SystemExit(f"{failed[0]}\n{said}")
    return float(re.findall(r"Requests/sec:\s+([0-9.]+)", said)[0])


def memory(process: int) -> int:
    """Return the peak memory of a process in megabytes."""
    return int(re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{process}/status").read_text())[0]) // 1024


def measure(settings: Settings, readers: int, *, seconds: int, rounds: int) -> None:
    """Ask both servers in turns, and print what came of it."""
    keyring, folder = publication.keyring(settings), settings.folder
    sent = [f"/issues/{number}" for number in range(4, 8)]
    pages = ["/archive", *sent, "/briefings/cloud-exit-fees", "/topics/cloud", "/feeds/briefings.atom"]
    links = [f"/u/{tokens.sign(keyring, Purpose.UNSUBSCRIBE, reader, 1)}" for reader in range(1, readers + 1)]
    rows = [f"/rows/{number}" for number in range(1, readers + 1)]
    seen: dict[str, list[float]] = {"bare": [], "pages": [], "leaving": []}
    share = readers // rounds
    with serving(settings, "bare") as (plain, _), serving(settings, "desk") as (ours, process):
        asked(plain, rows, folder, seconds=1)
        asked(ours, pages, folder, seconds=1)
        for number in range(rounds):  # alternating; each round has readers of its own leave
            seen["bare"].append(asked(plain, rows, folder, seconds=seconds))
            seen["pages"].append(asked(ours, pages, folder, seconds=seconds))
            mine = links[number * share : (number + 1) * share]
            body = "List-Unsubscribe=One-Click"
            seen["leaving"].append(asked(ours, mine, folder, seconds=seconds, body=body))
        megabytes = memory(process)
    rates = {name: statistics.median(found) for name, found in seen.items()}
    print(f"a bare route: {rates['bare']:.0f}/s")
    for name, said in (("pages", "pages of the archive"), ("leaving", "one-click unsubscribes")):
        ratio = statistics.median(mine / base for mine, base in zip(seen[name], seen["bare"], strict=True))
        print(f"{said}: {rates[name]:.0f}/s, {ratio:.2f} times the bare route (at least 0.6)")
    print(f"peak memory: {megabytes} MB (at most 200)")


def main() -> None:
    """Measure, and print."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--seconds", type=int, default=4, help="how long each is asked in a round")
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--readers", type=int, default=20_000)
    given.add_argument("--on", choices=["sqlite", "postgresql"], default="sqlite")
    given.add_argument("--serve", nargs=2, metavar=("FOLDER", "KIND"), help=argparse.SUPPRESS)
    words = given.parse_args()
    if words.serve:
        answer(Path(words.serve[0]), words.serve[1])
        return
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not here: apt-get install wrk")
    load_, version = os.getloadavg()[0], platform.python_version()
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {version}, load {load_:.1f}, {words.on}")
    with databases.folder() as home:
        engine = databases.postgresql(home) if words.on == "postgresql" else databases.sqlite(home)
        settings = desk(home / "desk", engine, words.readers)
        measure(settings, words.readers, seconds=words.seconds, rounds=words.rounds)
        engine.dispose()


if __name__ == "__main__":
    main()
