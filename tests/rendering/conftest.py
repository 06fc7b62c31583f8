"""What the press's tests may ask for: settings without a database, an issue, its rendering, a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from newsletter.issues.content import IssueContent
from newsletter.rendering import press
from newsletter.rendering.press import Rendered
from newsletter.settings import Settings
from tests.rendering import samples
from tests.support import browser as browsers


@pytest.fixture
def desk(tmp_path: Path) -> Settings:
    """Return the settings of a publication that needs no database."""
    return samples.publication(tmp_path)


@pytest.fixture(params=samples.THEMES)
def themed(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Return the settings of a publication in each theme."""
    return samples.dress(samples.publication(tmp_path), f'theme = "{request.param}"')


@pytest.fixture
def content() -> IssueContent:
    """Return an issue of three items with every part."""
    return samples.issue()


@pytest.fixture
def rendered(content: IssueContent, desk: Settings) -> Rendered:
    """Return the issue as the press makes it."""
    return press.render(content, desk, samples.LINKS, dated=samples.DATED)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return the machine's browser."""
    with browsers.launch() as launched:
        yield launched
