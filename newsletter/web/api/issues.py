"""Issues and lists for programs: seen, and how a send goes."""

from typing import Annotated

from fastapi import APIRouter, Path

from newsletter.delivery import report
from newsletter.issues import issues
from newsletter.web.api import paging, shapes
from newsletter.web.api.door import IssuesReader, ListsReader, StatusReader
from newsletter.web.api.paging import Cursor, Limit, Page
from newsletter.web.api.shapes import IssueOut, ListOut, Name, StatusOut
from subscribers import lists

router = APIRouter()
Number = Annotated[int, Path(ge=1, le=shapes.LARGEST)]


@router.get("/lists")
def all_lists(caller: ListsReader, limit: Limit = 50, cursor: Cursor = "") -> Page[ListOut]:
    """Return the lists by name, with their counts."""
    place = paging.after(cursor)
    with caller.site.reading() as session:
        found, more = paging.cut([each for each in lists.all(session) if each.name > place], limit, lambda x: x.name)
    return Page(items=[shapes.of_list(each) for each in found], next=more)


@router.get("/lists/{name}")
def one_list(caller: ListsReader, name: Name) -> ListOut:
    """Return one list."""
    with caller.site.reading() as session:
        return shapes.of_list(lists.get(session, name))


@router.get("/issues")
def all_issues(caller: IssuesReader, limit: Limit = 50, cursor: Cursor = "") -> Page[IssueOut]:
    """Return the issues in the order in which they were composed."""
    place = paging.number(cursor)
    with caller.site.reading() as session:
        everyone = sorted(issues.all(session), key=lambda x: x.id)
    found, more = paging.cut([each for each in everyone if each.id > place], limit, lambda x: x.id)
    return Page(items=[shapes.of_issue(each) for each in found], next=more)


@router.get("/issues/{issue}")
def one_issue(caller: IssuesReader, issue: Number) -> IssueOut:
    """Return one issue."""
    with caller.site.reading() as session:
        return shapes.of_issue(issues.get(session, issue))


@router.get("/issues/{issue}/status")
def status(caller: StatusReader, issue: Number) -> StatusOut:
    """Return who has an issue and who has not, as counts."""
    with caller.site.reading() as session:
        return shapes.of_status(report.status(session, issue, now=caller.now))
