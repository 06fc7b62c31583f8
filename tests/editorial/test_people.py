"""The people of the desk."""

from datetime import datetime

import pytest
from sqlmodel import Session

from newsletter.editorial import people
from newsletter.errors import BadInput, NotFound, Refused


def test_somebody_is_added_and_found(session: Session, now: datetime) -> None:
    people.add(session, "li.wei", name="李伟", email="li@desk.example", now=now)
    person = people.require(session, "li.wei")
    assert (person.name, person.email, person.added_at) == ("李伟", "li@desk.example", now)
    assert [each.handle for each in people.all(session)] == ["ines", "jonas", "li.wei", "mara"]


def test_without_a_name_they_go_by_their_handle(session: Session) -> None:
    assert people.require(session, "mara").name == "mara"


def test_a_stranger_is_refused_with_the_way_to_add_them(session: Session) -> None:
    with pytest.raises(NotFound, match=r"did you mean mara\? Or add them: newsletter people add mora"):
        people.require(session, "mora")


def test_nobody_is_added_twice(session: Session, now: datetime) -> None:
    with pytest.raises(Refused, match="mara works here already"):
        people.add(session, "mara", now=now)


@pytest.mark.parametrize(
    ("handle", "name", "email", "reason"),
    [
        ("Mara W", "", "", "cannot be a person's short name"),
        ("", "", "", "cannot be a person's short name"),
        ("zoe", "Zoe\r\nBcc: all", "", "is no line"),
        ("zoe", "Z" * 201, "", "is no line"),
        ("zoe", "", "zoe@desk.example\nBcc: all", "give another with --email"),
        ("zoe", "", "zoe", "give another with --email"),
    ],
)
def test_a_bad_name_or_address_is_refused(
    session: Session, now: datetime, handle: str, name: str, email: str, reason: str
) -> None:
    with pytest.raises(BadInput, match=reason):
        people.add(session, handle, name=name, email=email, now=now)
    assert len(people.all(session)) == 3
