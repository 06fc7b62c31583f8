"""Polling feeds beside a bare loop: httpx2 and feedparser over as many threads, which stores nothing.

    python bench/feeds.py [--size 1000] [--items 30] [--rounds 3]

Both ask the same server, a process of its own, with what it said before: half of the feeds answer 304, the others a
document that has 3 new entries among its 30. Each feed has a host of its own (127.x.y.z), and no pause is made.
The bare loop parses in its threads; the desk parses in child processes, looks for known and changed entries, puts
stories together, and stores. The time of the whole poll over that of the loop is to be at most 1.5.
"""

import argparse
import asyncio
import multiprocessing
import resource
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import feedparser
import httpx2
from sqlalchemy import Engine, func
from sqlmodel import select

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import databases
from newsletter import db
from newsletter.discovery import feeds
from newsletter.discovery.models import SourceItem
from newsletter.discovery.parsing import Parsers
from newsletter.discovery.polling import WORKERS, Poller
from newsletter.fetching import Client

_SAID = """harbour ferry grid cable cloud memory tender hospital vote island yard turbine permit lease auction chip
storage pipeline union strike port customs audit ledger patent satellite battery loan merger tariff"""
_WORDS = _SAID.split()
#: Entries come every four hours, so those of three days, 18 of 30, are looked through for twins.
START = datetime.now(UTC) - timedelta(hours=4 * 36)


def document(feed: int, turn: int, items: int) -> bytes:
    """Return what a feed says at a turn: three entries more than at the turn before, and as many less."""
    numbers = range(turn * 3 + items - 1, turn * 3 - 1, -1)
    body = "".join(_entry(feed, number) for number in numbers)
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>Feed {feed}</title>{body}</channel></rss>".encode()


def _entry(feed: int, number: int) -> str:
    word = [_WORDS[(feed * 7 + number * 13 + step * step * (feed % 5 + 1)) % len(_WORDS)] for step in range(12)]
    title = " ".join([*word[:6], f"no{feed}", f"of{number}"])
    link = f"https://feed{feed}.example/{number}"
    date = format_datetime(START + timedelta(hours=4 * number), usegmt=True)
    words = f"&lt;p&gt;{' '.join(word[6:])} in words that say a little more of story {number}.&lt;/p&gt;"
    return (
        f"<item><title>{title}</title><link>{link}</link><guid>{link}</guid><pubDate>{date}</pubDate>"
        f"<description>{words}</description></item>"
    )


def serve(ready: "multiprocessing.Queue[int]", turns: "multiprocessing.Queue[int]", items: int) -> None:
    """Answer for every feed; at turn t, the odd ones have said nothing since turn 0."""
    turn = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal turn
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                while not turns.empty():
                    turn = turns.get()
                feed = int(head.split(b" ", 2)[1].strip(b"/"))
                at = 0 if feed % 2 else turn
                tag = f'"{at}"'
                if f"if-none-match: {tag}".encode() in head.lower():
                    writer.write(f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode())
                else:
                    body = document(feed, at, items)
                    said = f"HTTP/1.1 200 OK\r\nETag: {tag}\r\nContent-Type: text/xml; charset=utf-8\r\n"
                    writer.write(f"{said}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                if b"connection: close" in head.lower():
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "0.0.0.0", 0, backlog=512)
        ready.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def address(feed: int, port: int) -> str:
    """Return a feed's address, on a host of its own."""
    return f"http://127.{1 + feed // 62500}.{feed // 250 % 250}.{feed % 250 + 1}:{port}/{feed}"


class Bare:
    """The loop that is compared with: it asks and parses, and remembers what the server said."""

    def __init__(self, urls: list[str]) -> None:
        self._urls, self._tags = urls, dict[str, str]()
        self._client = httpx2.Client(trust_env=False)

    def poll(self) -> int:
        """Ask every feed; return how many entries were parsed."""
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            return sum(pool.map(self._one, self._urls))

    def _one(self, url: str) -> int:
        tag = self._tags.get(url)
        answer = self._client.get(url, headers={"If-None-Match": tag} if tag else {})
        self._tags[url] = answer.headers["etag"]
        return len(feedparser.parse(answer.content).entries) if answer.status_code == 200 else 0


def spent() -> float:
    """Return the CPU seconds of this process and of the children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def timed(poll: "object") -> tuple[float, float]:
    """Return the seconds by the clock and of CPU that a call takes."""
    begun, used = time.perf_counter(), spent()
    poll()  # type: ignore[operator]
    return time.perf_counter() - begun, spent() - used


def measure(engine: Engine, urls: list[str], turns: "multiprocessing.Queue[int]", rounds: int) -> None:
    """Poll and loop in turns, and print each pair and the ratio of the medians."""
    with db.transaction(engine) as session:
        ids = [feeds.add(session, url, now=datetime.now(UTC)).id for url in urls]
    bare = Bare(urls)

    def poll() -> None:
        parsers = Parsers()
        client = Client(allowed=lambda host: host.startswith("127."), ports=None)
        done = Poller(engine, client=client, parsers=parsers, pause=0.0).poll(ids)
        parsers.close()
        faults = [each.fault for each in done if each.fault]
        assert not faults, faults[:3]

    name = engine.dialect.name
    first, _ = timed(poll)
    looped, _ = timed(bare.poll)
    print(f"{name}: the first poll, where everything is new: {first:.1f} s; the loop {looped:.1f} s", flush=True)
    ours, theirs = [], []
    for turn in range(1, rounds + 1):
        turns.put(turn)
        theirs.append(timed(bare.poll))
        ours.append(timed(poll))
        (clock, cpu), (their_clock, their_cpu) = ours[-1], theirs[-1]
        print(f"{name}: poll {clock:.2f} s ({cpu:.2f} CPU), loop {their_clock:.2f} s ({their_cpu:.2f} CPU)", flush=True)
    ratio = statistics.median(clock for clock, _ in ours) / statistics.median(clock for clock, _ in theirs)
    with db.reading(engine) as session:
        count = session.exec(select(func.count()).select_from(SourceItem)).one()
    print(f"{name}: {len(urls)} feeds, {count} items stored; {ratio:.2f} times the loop's time (at most 1.5)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--items", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    for kind in (databases.sqlite, databases.postgresql):
        ready: multiprocessing.Queue[int] = multiprocessing.Queue()
        turns: multiprocessing.Queue[int] = multiprocessing.Queue()
        server = multiprocessing.Process(target=serve, args=(ready, turns, given.items), daemon=True)
        server.start()
        port = ready.get(timeout=20)
        with databases.folder() as home:
            engine = kind(home)
            measure(engine, [address(feed, port) for feed in range(given.size)], turns, given.rounds)
            engine.dispose()
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
