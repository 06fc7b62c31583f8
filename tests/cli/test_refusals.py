"""Bad input: each refusal names the thing, the reason and the next step, has its exit code, and changes nothing."""

from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlalchemy import Engine, select, text

from newsletter import db
from tests.support.commands import Desk


def rows(engine: Engine) -> dict[str, list[Any]]:
    """Return everything that stands in the database."""
    with engine.connect() as connection:
        return {
            table.name: sorted(map(str, connection.execute(select(table)).all())) for table in db.tables().sorted_tables
        }


class Refuse(Protocol):
    def __call__(self, *words: str, code: int = 1) -> str: ...


@pytest.fixture
def refuse(desk: Desk, engine: Engine) -> Refuse:
    """Run a command that must be refused with one clear error and leave every row as it was; return the error."""

    def run(*words: str, code: int = 1) -> str:
        before = rows(engine)
        error = desk.refuses(*words, code=code)
        assert rows(engine) == before
        return error

    return run


def names(error: str, *words: str) -> None:
    assert error.startswith("error: ")
    for word in words:
        assert word in error


def test_a_list_that_does_not_exist(refuse: Refuse) -> None:
    names(refuse("subscribers", "add", "three@example.com", "--list", "weekli", code=3), "weekli", "weekly")


def test_an_address_with_a_line_break(refuse: Refuse) -> None:
    error = refuse("subscribers", "add", "three@example.com\r\nBcc: four@example.com", "--list", "weekly")
    names(error, "three@example.com", "U+000D")


def test_a_briefing_with_a_key_twice(refuse: Refuse, tmp_path: Path) -> None:
    path = tmp_path / "twice.md"
    path.write_text("---\nformat: briefing/1\nid: twice\nid: thrice\n---\n")
    names(refuse("briefings", "import", str(path)), f"{path}:4", "id", "twice")


def test_a_briefing_whose_front_matter_is_not_closed(refuse: Refuse, tmp_path: Path) -> None:
    path = tmp_path / "open.md"
    path.write_text("---\nformat: briefing/1\nid: open\n")
    names(refuse("briefings", "import", str(path)), f"{path}:1", "not closed", "---")


def test_of_several_files_none_is_taken_when_one_is_bad(desk: Desk, refuse: Refuse, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    good.write_text((desk.folder / "briefings" / "grid.md").read_text().replace("id: grid", "id: good"))
    bad.write_text("no front matter")
    refuse("briefings", "import", str(good), str(bad))
    assert not (desk.folder / "briefings" / "good.md").exists()


def test_a_pick_that_is_not_approved(refuse: Refuse) -> None:
    names(refuse("compose", "--pick", "cranes", "grid"), "grid", "not approved", "newsletter briefings")


def test_a_pick_that_does_not_exist(refuse: Refuse) -> None:
    names(refuse("compose", "--pick", "cranez", code=3), "cranez", "cranes")


def test_an_approval_of_ones_own_text(desk: Desk, refuse: Refuse) -> None:
    desk.run("briefings", "submit", "grid", "--as", "mara")
    names(refuse("briefings", "approve", "grid", "--as", "mara"), "mara", "author", "somebody else")


def test_an_actor_who_does_not_work_here(refuse: Refuse) -> None:
    names(refuse("briefings", "submit", "grid", "--as", "nobody", code=3), "nobody", "newsletter people add")


def test_an_issue_that_does_not_exist(refuse: Refuse) -> None:
    for command in ("check", "preview", "status"):
        names(refuse(command, "7", code=3), "7", "newsletter compose")


def test_a_subject_with_a_line_break(refuse: Refuse) -> None:
    error = refuse("compose", "--pick", "cranes", "--subject", "News\r\nBcc: all@example.com")
    names(error, "subject", "line break")


def test_a_condition_with_an_unknown_field(refuse: Refuse) -> None:
    names(refuse("segments", "create", "x", "contry = 'DE'"), "contry", "country", "column 1")


def test_a_wrong_command_line_is_a_usage_error(refuse: Refuse) -> None:
    assert "--pick" in refuse("compose", "cranes", code=2)
    refuse("compose", "--since", "soon", code=2)
    refuse("send", "one", code=2)


def test_a_dry_run_into_a_place_that_cannot_be_written(refuse: Refuse, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    names(refuse("init", str(tmp_path / "file" / "desk")), "file", "another folder")
    names(refuse("demo", "--dir", str(tmp_path / "file" / "demo")), "file", "another")


def test_a_database_of_a_newer_version(refuse: Refuse, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    names(refuse("lists", "list"), "9999", "newer", "upgrade the program")
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{db.VERSIONS[-1]}'"))


def test_a_folder_that_does_not_exist_is_not_another_publication(desk: Desk, refuse: Refuse) -> None:
    names(refuse("-C", str(desk.folder / "typo"), "lists", "list", code=3), "typo", "--publication")


@pytest.mark.parametrize(
    ("words", "where", "reason"),
    [
        ("Tide {{ x }}", "column 6", "x is nothing that can be asked"),
        ("Tide {% raw %}", "column 6", "in the intro only"),
        ("Hi {{ subscriber.nmae }}", "column 4", "did you mean name?"),
        ("{{ subscriber.attributes.plan }}", "column 1", "newsletter subscribers attributes add plan"),
        ("Dear [[email]]", "", "write it otherwise"),
        ("{{ subscriber.name }}", "", "default('Hello')"),
    ],
)
def test_a_subject_that_cannot_be_understood(refuse: Refuse, words: str, where: str, reason: str) -> None:
    names(refuse("compose", "--pick", "cranes", "--subject", words), "the subject", where, reason)


def test_a_number_that_no_row_can_have(refuse: Refuse) -> None:
    refuse("status", "99999999999999999999", code=2)


def test_a_consent_without_words(refuse: Refuse) -> None:
    error = refuse("subscribers", "add", "three@example.com", "--list", "weekly", "--consent-basis", " ")
    names(error, "how they agreed")


def test_rejects_that_cannot_be_written_take_nothing_in(refuse: Refuse, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("email\nthree@example.com\nnonsense\n")
    names(
        refuse("subscribers", "import", str(tmp_path / "people.csv"), "--list", "weekly", "--consent-basis", "the fair",
               "--rejects", str(tmp_path / "none" / "rejects.csv")),
        "rejects.csv",
    )  # fmt: skip


@pytest.mark.parametrize(
    "words", [("--public-url", "news.example.com"), ("--relay", "host:99999"), ("--from", "nobody"), ("--name", "a\nb")]
)
def test_an_init_that_is_refused_leaves_nothing(desk: Desk, tmp_path: Path, words: tuple[str, str]) -> None:
    folder = tmp_path / "new"
    ended = Desk(tmp_path)
    ended.refuses("init", str(folder), *words)
    assert not folder.exists()
    ended.run("init", str(folder))


def test_a_file_that_is_no_database(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "junk.db").write_text("not a database " * 1000)
    here = Desk(desk.folder, {"NEWSLETTER_DATABASE_URL": f"sqlite:///{tmp_path / 'junk.db'}"})
    names(here.refuses("lists", "list"), "junk.db", "not a database")
    for url in ("postgresql+psycopg://h:port/x", "sqlite+nothing:///x", "mysql://x"):
        names(Desk(desk.folder, {"NEWSLETTER_DATABASE_URL": url}).refuses("lists", "list"), "[database] url")
