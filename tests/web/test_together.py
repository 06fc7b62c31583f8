"""Many who leave at once are written together: each is answered once it is for good, and none is lost or done twice."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from sqlalchemy import text

from newsletter import db
from newsletter.web.together import Together
from subscribers import consent, subscribers
from subscribers.models import ConsentEvent
from tests.support.keys import KEYRING
from tests.web.conftest import Desk


def test_readers_who_leave_at_once_each_leave_once_with_a_proof_and_a_fact(desk: Desk) -> None:
    with db.transaction(desk.engine) as session:
        people = [
            subscribers.add(session, f"r{n}@quay.example", lists=["weekly"], keyring=KEYRING, now=desk.now).id
            for n in range(12)
        ]
    links = [desk.leave(reader, desk.weekly) for reader in people] * 2
    links += [desk.leave(desk.ana, 99), desk.leave(999, desk.weekly)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda link: desk.client.post(link, data={"List-Unsubscribe": "One-Click"}), links))
    assert {answer.status_code for answer in answers} == {200}
    assert {desk.states(reader)["weekly"] for reader in people} == {"unsubscribed"}
    assert desk.states(desk.ana)["weekly"] == "confirmed"
    with db.reading(desk.engine) as session:
        facts = "SELECT subscriber_id FROM event WHERE kind = 'unsubscribed' ORDER BY subscriber_id"
        assert [row[0] for row in session.execute(text(facts))] == sorted(people)
        proofs = [each for each in consent.of(session, people[0]) if each.event is ConsentEvent.WITHDRAWN]
    assert [(each.list, each.method, each.ip, each.at) for each in proofs] == [
        ("weekly", "one-click", "testclient", desk.now)
    ]


def test_what_gathers_while_one_lot_is_written_is_the_next_lot_and_an_error_is_told_to_each_of_it() -> None:
    begun, go_on, lots = Event(), Event(), []

    def write(lot: object) -> None:
        lots.append(list(lot))  # type: ignore[call-overload]
        begun.set()
        assert go_on.wait(5)
        if len(lots) == 2:
            raise OSError("the disk is full")

    together: Together[int] = Together(write)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(together.ask, 1)
        assert begun.wait(5)
        others = [pool.submit(together.ask, wish) for wish in (2, 3, 4)]
        while len(together._gathered) < 3:
            pass
        go_on.set()
        first.result(5)
        for other in others:
            with pytest.raises(OSError, match="the disk is full"):
                other.result(5)
    assert [sorted(lot) for lot in lots] == [[1], [2, 3, 4]]
