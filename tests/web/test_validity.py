"""The pages as HTML has it, in the judgement of html-validate, and for everybody in that of axe-core."""

import pytest

from subscribers.tokens import Purpose
from tests.support import browser as browsers
from tests.support import judges, looks
from tests.web.conftest import Desk, served

#: How a page looks is not the database's affair.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def paths(desk: Desk) -> dict[str, str]:
    """Return the ways to the pages that readers come to."""
    return {
        "front": "/",
        "standards": "/standards",
        "about links": "/about-links",
        "unsubscribe": desk.leave(desk.ana, desk.weekly),
        "preferences": desk.link(Purpose.PREFERENCES, desk.ana),
        "why": desk.link(Purpose.PREFERENCES, desk.ana) + "/why",
        "corrections": "/corrections",
        "nowhere": "/nowhere",
    }


@on_sqlite
def test_the_pages_are_valid_html(desk: Desk) -> None:
    pages = {name: desk.client.get(path).text for name, path in paths(desk).items()}
    assert judges.ask("validate.cjs", {"mail": False, "pages": pages}) == {name: [] for name in pages}


@on_sqlite
def test_axe_finds_nothing_on_the_pages(desk: Desk) -> None:
    with served(desk.settings, desk.engine) as address, browsers.launch() as browser:
        with browsers.page(browser, width=375, scheme="light") as page:
            for name, path in paths(desk).items():
                page.goto(address + path)
                assert looks.faults(page) == [], name
