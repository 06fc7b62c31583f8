"""Attributes: what may be declared, and what their values read as."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from subscribers import attributes
from subscribers.errors import BadValue, Refused
from subscribers.models import AttributeType

READ = [
    (AttributeType.STR, " pro\t", "pro"),
    (AttributeType.STR, "", ""),
    (AttributeType.STR, 12, "12"),
    (AttributeType.INT, "12", 12),
    (AttributeType.INT, "-007", -7),
    (AttributeType.INT, 12, 12),
    (AttributeType.FLOAT, "12", 12.0),
    (AttributeType.FLOAT, ".5", 0.5),
    (AttributeType.FLOAT, "1e-15", 1e-15),
    (AttributeType.FLOAT, 0.1 + 0.2, 0.1 + 0.2),
    (AttributeType.BOOL, "Yes", True),
    (AttributeType.BOOL, "0", False),
    (AttributeType.BOOL, True, True),
    (AttributeType.DATE, "2026-01-31", "2026-01-31"),
    (AttributeType.DATE, "2026-01-31T09:00:00Z", "2026-01-31"),
    (AttributeType.DATE, "2026-01-31 09:00", "2026-01-31"),
]
BAD = [
    (AttributeType.STR, "a\nb"), (AttributeType.STR, "x" * 2001), (AttributeType.INT, "12.5"), (AttributeType.INT, ""),
    (AttributeType.INT, "1234567890123456"), (AttributeType.INT, "١٢"), (AttributeType.INT, True),
    (AttributeType.FLOAT, "nan"), (AttributeType.FLOAT, "inf"), (AttributeType.FLOAT, "1e15"),
    (AttributeType.FLOAT, "1,5"), (AttributeType.BOOL, "maybe"), (AttributeType.BOOL, "2"),
    (AttributeType.DATE, "2026-02-30"), (AttributeType.DATE, "31.01.2026"), (AttributeType.DATE, "20260131"),
    (AttributeType.DATE, "2026-W05-1"),
]  # fmt: skip


@pytest.mark.parametrize(("type", "given", "value"), READ)
def test_a_value_is_read_by_its_type(type: AttributeType, given: object, value: attributes.Value) -> None:
    found = attributes.read("x", type, given)
    assert (found, found.__class__) == (value, value.__class__)


@pytest.mark.parametrize(("type", "given"), BAD)
def test_a_value_that_is_none_of_its_type_is_refused(type: AttributeType, given: object) -> None:
    with pytest.raises(BadValue, match="the attribute x"):
        attributes.read("x", type, given)


@given(st.floats(min_value=-(10.0**15), max_value=10.0**15, exclude_min=True, exclude_max=True))
def test_a_number_that_is_written_out_reads_back_as_it_was(number: float) -> None:
    assert attributes.read("x", AttributeType.FLOAT, str(number)) == number


def test_names_are_plain_words_that_mean_nothing_else(session: Session, now: datetime) -> None:
    attributes.add(session, "plan_2", now=now)
    for name in ("Plan", "2plan", "plan-2", "plan_", "_plan", "a__b", "x" * 81, "plan; drop", "", "plän"):
        with pytest.raises(BadValue, match="a letter, then letters"):
            attributes.add(session, name, now=now)
    for name in ("country", "opened", "within", "issue", "suppressed", "true"):
        with pytest.raises(BadValue, match=f"such as their_{name}"):
            attributes.add(session, name, now=now)
    with pytest.raises(Refused, match="declared already"):
        attributes.add(session, "plan_2", now=now)
    assert str(attributes.unknown("plan2", ["plan_2"])).startswith(
        "'plan2': no attribute of this name is declared; did"
    )
