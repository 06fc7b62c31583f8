"""Promise 6, with the pages and a sender at work at once; ten thousand leave in bench/exodus.py."""

from sqlalchemy import Engine

from newsletter.settings import Settings
from tests.support import smtp
from tests.web import exodus


def test_who_leaves_while_an_issue_goes_out_is_left_out_of_the_rest(engine: Engine, settings: Settings) -> None:
    with smtp.serving() as server:
        found = exodus.leave(engine, settings, server, readers=300, leavers=150, rate=50)
    assert (found.refused, found.lost) == (0, set())
    assert len(found.leavers) == 150
    assert len(found.sent) < 75, "the last of the issue left first"
    assert all(seconds < 1 for seconds in found.sent.values()), "only what was on its way already"
    status = found.status
    assert (status.state, status.sent, status.skipped) == ("sent", 150 + len(found.sent), 150 - len(found.sent))
