"""Words: what the program says of a number, in English that fits one as well as many."""


def counted(count: int, one: str, many: str = "") -> str:
    """Return "1 reader", "2,000 readers": the number before `one`, or before `many`, which is `one` and an s.

    The verb may come along: `counted(n, "item is", "items are")`.
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
