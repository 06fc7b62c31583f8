"""The lock: hashes for everything, no address of any index, and all that the project asks for."""

import json
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = [
    word
    for words in PROJECT["optional-dependencies"].values()
    for word in words
    if not word.startswith(PROJECT["name"])  # an extra that brings another one
]
WANTED = [Requirement(word) for word in [*PROJECT["dependencies"], *EXTRAS]]


def entries() -> list[tuple[Requirement, list[str]]]:
    """Return each requirement of the lock with its hashes."""
    lines = re.sub(r"\\\n", " ", re.sub(r"^ *#.*\n", "", LOCK, flags=re.MULTILINE)).splitlines()
    found = []
    for line in filter(None, lines):
        words, *hashes = re.split(r"\s+--hash=", line.strip())
        found.append((Requirement(words), hashes))
    return found


def test_every_requirement_of_the_lock_is_pinned_by_hash() -> None:
    assert len(entries()) > len(PROJECT["dependencies"])
    for requirement, hashes in entries():
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), requirement


def test_the_lock_names_no_address() -> None:
    assert not re.search(r"https?:|://", LOCK)  # httpx2 may be named
    assert not re.search(r"^\s*(-i|-f|--(extra-)?index-url|--find-links|--trusted-host)\b", LOCK, re.MULTILINE)


@pytest.mark.parametrize("wanted", WANTED, ids=str)
def test_the_lock_has_what_the_project_asks_for(wanted: Requirement) -> None:
    pins = [pin for pin, _ in entries() if canonicalize_name(pin.name) == canonicalize_name(wanted.name)]
    assert pins, f"{wanted} is not in requirements.lock; renew it: make lock"
    for pin in pins:
        (version,) = (each.version for each in pin.specifier)
        assert wanted.specifier.contains(version, prereleases=True), f"{pin} is not {wanted}; renew it: make lock"


def test_the_lock_has_what_its_packages_ask_for() -> None:
    names = {canonicalize_name(pin.name) for pin, _ in entries()}
    for name in names:
        try:
            asked = map(Requirement, metadata.requires(name) or [])
        except metadata.PackageNotFoundError:  # of another platform
            continue
        here = [each for each in asked if each.marker is None or each.marker.evaluate({"extra": ""})]
        assert {canonicalize_name(each.name) for each in here} <= names, f"of {name}; renew the lock: make lock"


def test_the_lock_of_the_judges_has_hashes_and_no_addresses_to_load_from() -> None:
    packages = json.loads((ROOT / "tests" / "judges" / "package-lock.json").read_text("utf-8"))["packages"]
    wanted = json.loads((ROOT / "tests" / "judges" / "package.json").read_text("utf-8"))["dependencies"]
    assert packages.pop("")["dependencies"] == wanted
    assert len(packages) > len(wanted)
    for name, each in packages.items():
        assert each["integrity"].startswith("sha512-"), name
        assert "resolved" not in each, name
