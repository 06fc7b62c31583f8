"""axe-core in the machine's browser: can the mail be read by everybody, by day and by night, on any device."""

from typing import Any, Literal

import pytest
from playwright.sync_api import Browser

from tests.judges.conftest import Sheet
from tests.support import browser as browsers
from tests.support import judges

#: All of axe's rules, its best practices too; and how many of them had something to look at.
JUDGE = """async () => {
  const {violations, passes} = await axe.run(document);
  return {
    passed: passes.length,
    broken: violations.flatMap(rule => rule.nodes.map(node => [rule.id, node.target.join(' '), node.failureSummary])),
  };
}"""


@pytest.mark.parametrize("width", [375, 1200])
def test_axe_finds_nothing(browser: Browser, sheet: Sheet, width: int) -> None:
    axe = judges.source("axe-core", "axe.min.js")
    with browsers.page(browser, width=width, scheme="light") as page:
        browsers.show(page, sheet.html)
        page.evaluate(axe)
        schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            found: Any = page.evaluate(JUDGE)
            assert found["broken"] == [], scheme
            assert found["passed"] > 20


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("</h2>", '</h2><img src="https://a.example/i.png">', "image-alt"),
        ('role="main"', "", "landmark-one-main"),
        ("</h2>", '</h2><p style="color: #999999; background: #ffffff">faint</p>', "color-contrast"),
    ],
)
def test_axe_finds_what_is_wrong(browser: Browser, sheets: dict[str, Sheet], old: str, new: str, rule: str) -> None:
    axe = judges.source("axe-core", "axe.min.js")
    with browsers.page(browser, width=375, scheme="light") as page:
        browsers.show(page, sheets["briefing"].html.replace(old, new, 1))
        page.evaluate(axe)
        assert rule in {each[0] for each in page.evaluate(JUDGE)["broken"]}
