"""What is said of numbers."""

import pytest

from newsletter.words import counted


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 readers"), (1, "1 reader"), (2, "2 readers"), (1_000_000, "1,000,000 readers")]
)
def test_one_is_said_of_one_alone(count: int, said: str) -> None:
    assert counted(count, "reader") == said


def test_what_takes_no_s_is_said_in_full() -> None:
    assert [counted(count, "entry is", "entries are") for count in (1, 2)] == ["1 entry is", "2 entries are"]
