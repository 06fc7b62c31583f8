"""`newsletter issues publish`: who may see an issue online, said before or after it goes out."""

from tests.support.commands import Desk


def test_an_editor_says_who_can_see_an_issue_and_the_record_has_it(desk: Desk) -> None:
    issue = desk.json("compose", "--pick", "cranes", "--as", "mara")["issue"]
    said = desk.json("issues", "publish", str(issue), "--visibility", "unlisted", "--as", "mara")
    assert said == {
        "issue": issue, "state": "assembling", "visibility": "unlisted", "listed": False,
        "url": f"https://news.harbour.example/issues/{issue}",
    }  # fmt: skip
    shown = desk.run("issues", "publish", str(issue), "--as", "mara").stdout
    assert "Once it is sent, everybody can see it" in shown
    assert "newsletter issues list" in _cancelled(desk, issue)
    assert "there is no issue 99" in desk.refuses("issues", "publish", "99", "--as", "mara", code=3)
    assert desk.run("issues", "publish", str(issue), "--visibility", "nobody", code=2).stdout == ""


def _cancelled(desk: Desk, issue: int) -> str:
    desk.run("issues", "cancel", str(issue), "--as", "mara")
    return desk.refuses("issues", "publish", str(issue), "--as", "mara")
