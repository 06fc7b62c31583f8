"""Which addresses a file named already, and on which line, without holding them in memory."""

import json
import sqlite3
from collections.abc import Mapping


class Seen:
    """The addresses met so far, in a temporary database that SQLite deletes by itself."""

    def __init__(self) -> None:
        self._keys = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-8000"):
            self._keys.execute(f"PRAGMA {pragma}")
        self._keys.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")

    def before(self, lines: Mapping[str, int]) -> dict[str, int]:
        """Return which of the keys were met before, with their lines, and take note of the others."""
        found = self._keys.execute(
            "SELECT key, line FROM seen WHERE key IN (SELECT value FROM json_each(?))", [json.dumps(list(lines))]
        )
        known = dict(found.fetchall())
        self._keys.execute("BEGIN")
        self._keys.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", lines.items())
        self._keys.execute("COMMIT")
        return known

    def close(self) -> None:
        """Forget them all."""
        self._keys.close()
