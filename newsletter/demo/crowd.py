"""Five hundred made-up subscribers as two CSV files, the same at every run."""

import csv
import io
import random

SIZE = 500
#: Every list with the share of the crowd that is on it: [from, to).
LISTS = {"weekly": (0, 400), "alerts": (320, SIZE)}
SEGMENTS = {
    "german-speaking": "country in ('DE', 'AT', 'CH')",
    "chip-buyers": "audience = 'chip-buyers' or topics has 'semiconductors'",
    "recent": "joined within 90 days",
}
_FIRST = ("Amina", "Björn", "Chiara", "Dmitri", "Élodie", "Farah", "Guō", "Hana", "Ines", "João", "Kwame", "Łukasz")
_LAST = ("Adeyemi", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ito", "Jansen", "Kowalska")
_COUNTRIES = ("DE", "AT", "CH", "GB", "US", "FR", "NL", "PL", "JP", "SG")
_AUDIENCES = ("chip-buyers", "ai-platform-leads", "it-procurement", "energy-managers")
_TOPICS = ("semiconductors", "ai-infrastructure", "cloud", "energy", "networks", "software-supply")


def files() -> dict[str, str]:
    """Return the CSV text of each list."""
    people = [_person(number) for number in range(SIZE)]
    return {name: _csv(people[start:end]) for name, (start, end) in LISTS.items()}


def _person(number: int) -> dict[str, str]:
    chance = random.Random(number)
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    return {
        "email": f"reader{number:03d}@{'company' if number % 3 else 'agency'}{number % 7}.example",
        "name": f"{first} {last}",
        "country": chance.choice(_COUNTRIES),
        "language": "en",
        "audience": chance.choice(_AUDIENCES),
        "topics": ";".join(sorted(chance.sample(_TOPICS, chance.randint(1, 3)))),
        "plan": chance.choice(("free", "pro", "trial")),
    }


def _csv(people: list[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(people[0]))
    writer.writeheader()
    writer.writerows(people)
    return text.getvalue()
