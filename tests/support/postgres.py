"""One PostgreSQL server for a whole test run, started by whichever test needs it first."""

import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg

from tests.support.lacking import lacking

#: What tests can do without; a vacuum at some moment of its own would change plans between one run and the next.
_UNSAFE = ("fsync", "full_page_writes", "synchronous_commit", "autovacuum")
_INITDB = ("-A", "trust", "-U", "desk", "-E", "UTF8", "--no-locale", "--no-sync")


def binaries() -> Path | None:
    """Return the folder of the newest installed server, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    here = shutil.which("initdb")
    return Path(here).resolve().parent if here else None


def url(home: Path) -> str:
    """Return the address of the run's server, starting it in `home` on first use."""
    with (home / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = home / "postgres.url"
        if not known.exists():
            known.write_text(start(home))
        return known.read_text()


def stop(home: Path) -> None:
    """Stop the server that `url` started, if it did."""
    pidfile = home / "postgres" / "postmaster.pid"
    if pidfile.exists():
        pid = int(pidfile.read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        for _ in range(100):
            if not pidfile.exists() or not Path(f"/proc/{pid}").exists():
                break
            time.sleep(0.05)


def _as_user(data: Path) -> dict[str, Any]:
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):  # the server refuses to run as root
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(data, user.pw_uid, user.pw_gid)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise RuntimeError("no user to run PostgreSQL as")


def start(home: Path, *, durable: bool = False, **more: object) -> str:
    """Start a server in `home` and return its address; tests need no durability, and benchmarks of writing do."""
    folder = binaries()
    if folder is None:
        lacking("PostgreSQL")
    data = home / "postgres"
    data.mkdir(mode=0o700)
    who = _as_user(data)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    initdb = [str(folder / "initdb"), "-D", str(data), *_INITDB]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd="/", **who)
    settings = {
        "port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": 60,
        "timezone": "UTC",
        **({} if durable else dict.fromkeys(_UNSAFE, "off")),
        **more,
    }  # fmt: skip
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (home / "postgres.log").open("w") as log:
        subprocess.Popen(
            [folder / "postgres", "-D", data, *options], stdout=log, stderr=log, cwd="/", start_new_session=True, **who
        )
    for _ in range(600):
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="desk", dbname="postgres").close()
            return f"postgresql+psycopg://desk@127.0.0.1:{port}/postgres"
        except psycopg.OperationalError:  # it listens before it lets anybody in
            time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start: {(home / 'postgres.log').read_text()}")
