"""A fresh key for the links in mail, by command, while pages are served."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from newsletter import publication
from newsletter.settings import load
from newsletter.web.app import create
from subscribers import tokens
from subscribers.tokens import Purpose
from tests.support.commands import Desk


def test_old_links_and_new_ones_work_in_a_server_that_ran_all_along(desk: Desk, engine: Engine) -> None:
    settings = load(desk.folder, {})
    before = publication.keyring(settings)
    with TestClient(create(settings, engine)) as client:
        links = ["/p/" + tokens.sign(before, Purpose.PREFERENCES, 1)]
        assert client.get(links[0]).status_code == 200
        for number in (2, 3):
            assert desk.json("keys", "rotate") == {"key": number, "file": "keys/links.key"}
            after = publication.keyring(settings)
            assert (after.newest, after.keys[1]) == (number, before.keys[1])
            links.append("/p/" + tokens.sign(after, Purpose.PREFERENCES, 1))
        assert [client.get(link).status_code for link in links] == [200, 200, 200]
    assert len(set(links)) == 3
    file = desk.folder / "keys" / "links.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["links.key"]
    assert after.keys[3].hex() not in desk.run("audit", "verify", "--json").stdout


def test_the_last_key_and_a_broken_file_are_told(desk: Desk) -> None:
    file = desk.folder / "keys" / "links.key"
    file.write_text("255:" + "5a" * 32 + "\n")
    assert "the last there can be" in desk.refuses("keys", "rotate")
    file.write_text("1:5a\n")
    assert "line 1" in desk.refuses("keys", "rotate")
    assert file.read_text() == "1:5a\n"


def _rotate(folder: Path, times: int) -> list[int]:
    return [publication.rotate(load(folder, {})) for _ in range(times)]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_processes_that_rotate_at_one_instant_take_a_number_each(desk: Desk) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as pool:
        taken = [number for each in pool.map(_rotate, [desk.folder] * 4, [10] * 4) for number in each]
    assert sorted(taken) == list(range(2, 42))
    file = desk.folder / "keys" / "links.key"
    assert sorted(publication.keyring(load(desk.folder, {})).keys) == list(range(1, 42))
    assert [each.name for each in file.parent.iterdir()] == ["links.key"]
