"""A folder of evidence that proves itself: its manifest has every file's hash, its record the links of the chain.

Whoever has the folder can verify it without the desk's database; whoever has the manifest's hash from elsewhere knows
that nobody has made another folder of it.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from newsletter import audit
from newsletter.errors import BadInput, Refused

FORMAT = "newsletter-audit/1"
MANIFEST, ENTRIES, CHAIN = "manifest.json", "audit/entries.jsonl", "audit/chain.txt"


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What was found whole in a folder; `sha256` is that of its manifest."""

    files: int
    entries: int
    chain: int
    sha256: str
    about: Mapping[str, Any]


def document(value: object) -> bytes:
    """Return a value as the text of a JSON file."""
    return (json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True, default=_plain) + "\n").encode()


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)


def record(entries: Iterable[Mapping[str, Any]], chain: Iterable[str]) -> dict[str, bytes]:
    """Return the files of the record: entries whole, and the hash of every entry of the desk in order."""
    lines = [json.dumps(each, ensure_ascii=False, sort_keys=True) + "\n" for each in entries]
    return {ENTRIES: "".join(lines).encode(), CHAIN: "".join(f"{each}\n" for each in chain).encode()}


def write(folder: Path, files: Mapping[str, bytes], about: Mapping[str, Any]) -> str:
    """Write the files with their manifest, all of them or none, and return the manifest's hash.

    Refused where there is anything of that name already.
    """
    if folder.exists() or folder.is_symlink():
        raise Refused(f"{folder} is there already; name a new folder with --to")
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    manifest = document({"format": FORMAT, **about, "files": hashes})
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        for name, data in {**files, MANIFEST: manifest}.items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        draft.rename(folder)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise Refused(f"{folder} cannot be written: {error.strerror}; make room or name another folder") from error
    return hashlib.sha256(manifest).hexdigest()


def verify(folder: Path) -> Verified:
    """Hold a folder against its manifest and its record against its chain; Refused at what does not fit."""
    raw = _read(folder, MANIFEST)
    manifest = _parsed(raw, MANIFEST)
    if (
        not isinstance(manifest, dict)
        or manifest.get("format") != FORMAT
        or not isinstance(manifest.get("files"), dict)
    ):
        raise BadInput(f"{folder / MANIFEST} is no manifest of {FORMAT}; name the folder of an audit export")
    listed: dict[str, str] = manifest["files"]
    for name, sha256 in listed.items():
        if hashlib.sha256(_read(folder, name)).hexdigest() != sha256:
            raise Refused(f"{folder / name} is not the file that was exported: its hash differs from the manifest's")
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    if strange := sorted(there - {*listed, MANIFEST}):
        raise Refused(f"{folder} holds what was not exported: {', '.join(strange[:5])}; take it out")
    entries, links = _record(folder)
    about = {name: value for name, value in manifest.items() if name not in ("format", "files")}
    return Verified(
        files=len(listed), entries=entries, chain=links, sha256=hashlib.sha256(raw).hexdigest(), about=about
    )


def _record(folder: Path) -> tuple[int, int]:
    """Return how many entries are whole and how long the chain is, each entry in its place in it."""
    links = _read(folder, CHAIN).decode("ascii", "replace").split()
    before = dict(zip(links, [audit.START, *links], strict=False))
    count = 0
    for line in _read(folder, ENTRIES).splitlines():
        entry = _parsed(line, ENTRIES)
        try:
            fits = audit.seal(entry) == entry["sha256"] and before.get(entry["sha256"]) == entry["previous"]
        except (KeyError, TypeError) as error:
            raise Refused(f"{folder / ENTRIES}: line {count + 1} is no entry of a record") from error
        if not fits:
            told = f"{entry['action']} {entry['kind']} {entry['name']}, {entry['at']}"
            raise Refused(f"{folder / ENTRIES}: the entry {told} does not fit the chain: one of them was changed")
        count += 1
    return count, len(links)


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise Refused(f"the manifest of {folder} names {name}, which lies outside it")
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}; it belongs to the export") from error


def _parsed(data: bytes, name: str) -> Any:
    try:
        return json.loads(data)
    except ValueError as error:
        raise BadInput(f"{name} is no JSON: {error}; it was changed since the export") from error
