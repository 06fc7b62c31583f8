"""OpenDKIM, which verifies messages by keys that stand in a file."""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from newsletter.delivery.keys import Record
from tests.support.lacking import lacking


def verify(folder: Path, message: bytes, records: Iterable[Record]) -> str:
    """Return what OpenDKIM says of a message, a line for a signature: with `succeeded` or `failed` in it."""
    program = shutil.which("opendkim") or shutil.which("/usr/sbin/opendkim")
    if program is None:
        lacking("OpenDKIM")
    keys, settings, mail = folder / "opendkim.keys", folder / "opendkim.conf", folder / "opendkim.eml"
    keys.write_text("".join(f"{record.name} {record.value}\n" for record in records))
    settings.write_text(f"TestPublicKeys {keys}\nMode v\nSyslog no\n")
    mail.write_bytes(message)
    run = [program, "-x", str(settings), "-t", str(mail)]
    return subprocess.run(run, capture_output=True, text=True, check=True, timeout=60).stdout
