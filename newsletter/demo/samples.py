"""Eight sample briefings and the feed that they began from, with their dates moved up to the day of the demo."""

import re
from datetime import datetime, timedelta
from importlib.resources import files

#: How long before the demo the newest source was read.
AGE = timedelta(hours=3)

_HOME = files("newsletter.demo")
_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)")
_RETRIEVED = re.compile(rf"^ +retrieved: ({_MOMENT.pattern})$", re.MULTILINE)


def briefings(now: datetime) -> list[tuple[str, str]]:
    """Return the name and the text of each sample file, the newest source read a few hours before `now`."""
    texts = _texts()
    shift = _shift(texts, now)
    return [(name, _moved(text, shift)) for name, text in texts]


def feed(now: datetime) -> bytes:
    """Return an Atom document whose entries are the source items of the sample briefings."""
    return _moved((_HOME / "feed.xml").read_text("utf-8"), _shift(_texts(), now)).encode()


def _texts() -> list[tuple[str, str]]:
    found = [(file.name, file.read_text("utf-8")) for file in (_HOME / "briefings").iterdir()]
    return sorted(found)


def _shift(texts: list[tuple[str, str]], now: datetime) -> timedelta:
    """Return by how much the samples' dates move, in whole minutes so that they stay as round as they are."""
    newest = max(datetime.fromisoformat(found) for _, text in texts for found in _RETRIEVED.findall(text))
    return timedelta(minutes=(now - AGE - newest) // timedelta(minutes=1))


def _moved(text: str, shift: timedelta) -> str:
    return _MOMENT.sub(lambda found: (datetime.fromisoformat(found[0]) + shift).isoformat(), text)
