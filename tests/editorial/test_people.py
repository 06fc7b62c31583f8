"""The people of the desk."""

from datetime import datetime

import pytest
from sqlmodel import Session

from newsletter import audit
from newsletter.editorial import people, roles
from newsletter.editorial.models import Role
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


def test_what_is_known_of_somebody_changes_and_the_record_says_what_not_how(session: Session, now: datetime) -> None:
    people.add(session, "kim", email="kim@desk.example", roles=[Role.SENDER, Role.WRITER], actor="mara", now=now)
    changed = people.edit(session, "kim", name="Kim Lee", email="", roles=[Role.EDITOR], actor="mara", now=now)
    assert (changed.name, changed.email, changed.roles) == ("Kim Lee", "", (Role.EDITOR,))
    assert changed.may == (Role.SCOUT, Role.WRITER, Role.EDITOR)
    people.edit(session, "kim", name="Kim Lee", actor="mara", now=now)
    added, edited = audit.entries(session, "person", "kim")
    assert (added.actor, added.action, added.detail) == ("mara", "added", {"roles": ["writer", "sender"]})
    assert edited.detail == {
        "changed": ["name", "email", "roles"], "roles": ["editor"], "before": ["writer", "sender"],
    }  # fmt: skip


def test_an_editor_does_a_writers_and_a_scouts_work_and_no_others(session: Session, now: datetime) -> None:
    people.edit(session, "mara", roles=[Role.EDITOR], actor="mara", now=now)
    for role in (Role.SCOUT, Role.WRITER, Role.EDITOR):
        roles.require(session, "mara", role)
    roles.require(session, "mara", Role.SENDER, Role.EDITOR)
    with pytest.raises(Refused, match=r"mara is editor here, and this takes sender; .* --role editor --role sender"):
        roles.require(session, "mara", Role.SENDER)


def test_until_the_first_admin_whoever_has_no_role_may_do_everything(session: Session, now: datetime) -> None:
    people.edit(session, "jonas", roles=[Role.WRITER], actor="mara", now=now)
    for who in ("mara", "root"):
        roles.require(session, who, Role.ADMIN)
    with pytest.raises(Refused, match=r"jonas is writer .*there is none yet; .*people add HANDLE --role admin"):
        roles.require(session, "jonas", Role.SENDER)
    people.edit(session, "ines", roles=[Role.ADMIN], actor="mara", now=now)
    with pytest.raises(Refused, match="mara has no role here.*newsletter people edit mara --role sender"):
        roles.require(session, "mara", Role.SENDER)
    with pytest.raises(Refused, match="root has no role here.*newsletter people add root --role sender"):
        roles.require(session, "root", Role.SENDER, Role.EDITOR)


def test_the_only_admin_stays(session: Session, now: datetime) -> None:
    people.edit(session, "ines", roles=[Role.ADMIN], actor="ines", now=now)
    for held in ([], [Role.EDITOR]):
        with pytest.raises(Refused, match="ines is the desk's only admin; name another first"):
            people.edit(session, "ines", roles=held, actor="ines", now=now)
    with pytest.raises(Refused, match="only admin"):
        people.remove(session, "ines", actor="ines", now=now)
    people.edit(session, "jonas", roles=[Role.ADMIN], actor="ines", now=now)
    people.remove(session, "ines", actor="jonas", now=now)
    assert roles.admins(session) == ["jonas"]


def test_who_was_removed_acts_no_more_and_can_come_back(session: Session, now: datetime) -> None:
    people.edit(session, "mara", name="Mara Winter", roles=[Role.WRITER], actor="ines", now=now)
    people.remove(session, "mara", actor="ines", now=now)
    assert [each.handle for each in people.all(session)] == ["ines", "jonas"]
    with pytest.raises(Refused, match="mara works here no more"):
        roles.require(session, "mara", Role.WRITER)
    for act in (people.require, lambda s, who: people.remove(s, who, actor="ines", now=now)):
        with pytest.raises(NotFound, match="newsletter people add mara"):
            act(session, "mara")
    gone = people.get(session, "mara")
    assert (gone.active, gone.name, gone.roles) == (False, "Mara Winter", ())
    back = people.add(session, "mara", roles=[Role.SCOUT], actor="ines", now=now)
    assert (back.active, back.name, back.may) == (True, "Mara Winter", (Role.SCOUT,))
    done = [entry.action for entry in audit.entries(session, "person", "mara")]
    assert done == ["added", "edited", "removed", "returned"]
