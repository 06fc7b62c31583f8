"""What a machine may lack: skipped by name with the line that installs it; in CI, a failure."""

import os
from typing import NoReturn

import pytest

INSTALL = {
    "PostgreSQL": "apt-get install postgresql",
    "Chromium": "apt-get install chromium",
    "Postfix": "apt-get install postfix",
    "a Postfix of the test's own": "run the tests as root, as Postfix starts no other way",
    "Node": "apt-get install nodejs npm",
    "npm judges": "npm ci --prefix tests/judges",
    "npm peers": "npm ci --prefix bench/peers",
    "OpenDKIM": "apt-get install opendkim",
    "SpamAssassin": "apt-get install spamassassin spamd",
}


def lacking(part: str) -> NoReturn:
    """Skip the test for want of `part`, or fail it where nothing may be skipped."""
    message = f"{part} is not installed; to run this test: {INSTALL[part]}"
    if os.environ.get("CI"):
        pytest.fail(f"in CI nothing is skipped: {message}", pytrace=False)
    pytest.skip(message)
