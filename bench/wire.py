"""Postfix's own tools in benchmarks: smtp-sink, which takes mail, and smtp-source, the reference."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.smtp import awaited, free_port

_SBIN = "/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/sbin"
#: What smtp-source's own header weighs, which `-l` does not count.
_HEADER = 115


def program(name: str) -> str:
    """Return where a program of Postfix is."""
    found = shutil.which(name, path=_SBIN)
    if found is None:
        raise SystemExit(f"{name} is not here; it comes with Postfix: apt-get install postfix")
    return found


@contextmanager
def sink() -> Iterator[int]:
    """Run smtp-sink, which counts what it takes and keeps nothing; yield its port."""
    port = free_port()
    other = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [program("smtp-sink"), "-c", *other, f"127.0.0.1:{port}", "200"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        awaited(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def source(port: int, count: int, *, size: int, connections: int) -> float:
    """Return how many messages a second smtp-source sends: one canned text of that size, connections kept."""
    command = [program("smtp-source"), "-d", "-s", str(connections), "-l", str(size - _HEADER), "-m", str(count)]
    start = time.perf_counter()
    subprocess.run([*command, f"127.0.0.1:{port}"], check=True)
    return count / (time.perf_counter() - start)
