"""What one reader's message costs: `make bench`. Ratios against what others do for each reader, in the same run."""

import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from hashlib import sha256
from html import escape
from pathlib import Path

import jinja2

from newsletter import publication
from newsletter.delivery import keys, message
from newsletter.delivery.dkim import Signer
from newsletter.delivery.reader import Reader
from newsletter.demo import samples
from newsletter.editorial import format
from newsletter.issues.content import IssueContent, ItemContent, Terms
from newsletter.issues.traits import Traits
from newsletter.rendering import compiled, press
from newsletter.rendering.slots import Slot
from newsletter.settings import Settings, load

ROUNDS = 3
READERS = 2000
#: A message of the size that the targets speak of.
SIZE = 50_000
_TOPICS = ("chips", "energy", "cloud", "security", "networks", "law")
_NAMES = ("Ada Lovelace", "José Müller", "李小龍", "", "Zoë O'Neill", "Олена Шевченко")


def content(items: int, *, personal: bool) -> IssueContent:
    """Return an issue of so many of the demo's briefings; a personal one goes by topic, audience and name."""
    now = datetime.now(UTC)
    documents = [format.parse(text, where=name) for name, text in samples.briefings(now)]
    chosen = [
        replace(documents[place % len(documents)], id=f"bench-{place}", topics=(_TOPICS[place % len(_TOPICS)],),
                audience=("buyer",) if place % 2 else ())
        for place in range(items)
    ]  # fmt: skip
    words = {"subject": "Chips, memory and the grid", "intro": "Good morning. This is what the week brought."}
    if personal:
        words = {
            "subject": "{{ subscriber.name | default('Reader') }}: chips, memory and the grid",
            "intro": "Good morning, {{ subscriber.name | default('dear reader') }}. Your plan is "
            "{{ subscriber.attributes.plan | default('free') }}.\n\n{% if segment('vip') %}\nThank you for years of "
            "reading.\n{% endif %}",
        }
    return IssueContent(
        id=12, preheader="What it means for those who buy", **words,
        terms=Terms(by_topic=personal, by_audience=personal),
        items=tuple(ItemContent(position=place, sha256="0" * 64, document=document)
                    for place, document in enumerate(chosen, start=1)),
    )  # fmt: skip


def readers(count: int, *, whole: bool = False) -> list[Reader]:
    """Return so many readers, no two with the same traits; with `whole` each gets every item."""
    made = []
    for number in range(count):
        topics = tuple(sorted(topic for place, topic in enumerate(_TOPICS) if whole or number >> place & 1))
        traits = Traits(
            email=f"reader{number}@example.com", name=f"{_NAMES[number % len(_NAMES)]} {number}".strip(), topics=topics,
            attributes={"plan": "pro"} if number % 3 else {}, audience=("", "buyer", "engineer")[number % 3],
            segments=frozenset({"vip"} if number >> 6 & 1 else ()), list_name="weekly", list_title="The weekly digest",
        )  # fmt: skip
        made.append(Reader(number + 1, number + 1, traits.email, 1, "weekly", "The weekly digest", traits=traits))
    return made


class Desk:
    """A publication with an issue of about SIZE bytes on the wire."""

    def __init__(self, settings: Settings, *, personal: bool) -> None:
        keyring = publication.keyring(settings)
        links = press.links(settings, 12, keyring=keyring)
        for items in range(1, 30):
            self.rendered = press.render(content(items, personal=personal), settings, links)
            self.body = self.compiled()
            self.head = message.masthead(
                settings, 12, subject=self.rendered.subject, date=datetime.now(UTC), keyring=keyring
            )
            if self.size >= SIZE:
                return

    def compiled(self) -> compiled.Compiled:
        """Return the plan, with no variant made yet."""
        made = self.rendered
        return compiled.compile(made.html, made.text, boundary="issue-12", personal=made.personal)

    def message(self, reader: Reader) -> bytes:
        """Return the reader's message."""
        return message.assemble(self.head, self.body, reader).message

    @property
    def size(self) -> int:
        """Return how many bytes a reader of everything gets."""
        return len(self.message(Reader(1, 1, "reader@example.com", 1, "weekly", "The weekly digest")))


class Others:
    """What others do for each reader: fill the final HTML and text, build a message, flatten it."""

    def __init__(self, desk: Desk) -> None:
        whole = desk.rendered.whole()
        sandbox = jinja2.Environment(autoescape=False)  # the values are escaped by the caller
        self.html, self.text = (sandbox.from_string(_named(source)) for source in (whole.html, whole.text))
        self.desk, self.subject = desk, whole.subject

    def message(self, reader: Reader) -> bytes:
        """Return the reader's message."""
        values = {slot.value: text for slot, text in message.values_of(self.desk.head, reader).items()}
        made = EmailMessage(policy=policy.SMTP)
        made["From"], made["To"], made["Subject"] = self.desk.head.sender, reader.email, self.subject
        made["Message-ID"] = message.message_id(self.desk.head, reader)
        made["List-Unsubscribe"] = f"<{values['unsubscribe_url']}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        made.set_content(self.text.render(values))
        marked = {name: escape(value) for name, value in values.items()}
        made.add_alternative(self.html.render(marked), subtype="html")
        return made.as_bytes()


def _named(source: str) -> str:
    for slot in Slot:
        source = source.replace(slot.marker, f"{{{{ {slot.value} }}}}")
    return source


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds that the work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def each(work: Callable[[Reader], object], everyone: list[Reader]) -> None:
    """Do the work for each reader and keep nothing of it, as a send does."""
    for reader in everyone:
        work(reader)


def say_message(settings: Settings, *, personal: bool) -> None:
    """Compare one reader's message with what others do."""
    desk = Desk(settings, personal=personal)
    others, everyone = Others(desk), readers(READERS, whole=True)
    some = everyone[:: READERS // 100]
    ours, theirs = [], []
    for _ in range(ROUNDS):  # alternating
        ours.append(cpu(lambda: each(desk.message, everyone)) / READERS)
        theirs.append(cpu(lambda: each(others.message, some)) / len(some))
    mine, other = (statistics.median(rounds) * 1e6 for rounds in (ours, theirs))
    kind = "by topic, audience, segment and name" if personal else "the same for everybody"
    print(
        f"one reader's message, {kind} ({desk.size:,} bytes): {mine:.0f} us CPU ({mine / 60:.2f} of the 60 us "
        f"allowed); Jinja fill + EmailMessage + flatten: {other:.0f} us, {other / mine:.0f} x as much (at least 40)"
    )


def say_variants(settings: Settings) -> None:
    """Time the messages of a thousand readers, none of whom has the traits of another, from a cold plan."""
    desk, everyone = Desk(settings, personal=True), readers(1000)
    taken = []
    for _ in range(ROUNDS):
        desk.body = desk.compiled()
        taken.append(cpu(lambda: each(desk.message, everyone)))
    seconds, different = statistics.median(taken), len({desk.message(reader) for reader in everyone})
    print(
        f"1,000 readers of one issue, {different} messages of {len(desk.body._variants)} selections: "
        f"{seconds * 1000:.0f} ms CPU ({seconds / 0.1:.2f} of the 100 ms allowed)"
    )


def say_signatures(settings: Settings, folder: Path) -> None:
    """Compare what signing adds to a message with the bare signature of the library, which our keys call too."""
    desk, everyone = Desk(settings, personal=True), readers(READERS // 5, whole=True)
    domain = settings.sender.domain
    rsa = keys.create(folder / "s1.pem", domain=domain, selector="s1")
    second = keys.create(folder / "e1.pem", domain=domain, selector="e1", ed25519=True)
    bare, digest = desk.head, sha256(b"x" * 1500).digest()
    taken: dict[str, list[float]] = {"raw": [], "unsigned": [], "rsa": [], "both": []}
    for _ in range(ROUNDS):  # alternating
        taken["raw"].append(cpu(lambda: each(lambda _: rsa.sign(digest), everyone)))
        for name, signers in (("unsigned", ()), ("rsa", (rsa,)), ("both", (rsa, second))):
            desk.head = replace(bare, signer=Signer(signers, at=datetime.now(UTC)) if signers else None)
            taken[name].append(cpu(lambda: each(desk.message, everyone)))
    raw, plain, one, two = (statistics.median(taken[name]) / len(everyone) * 1e6 for name in taken)
    print(
        f"an RSA-2048 signature of a message ({desk.size:,} bytes): {one - plain:.0f} us CPU with the hash of its "
        f"body; the library's bare one {raw:.0f} us, {raw / (one - plain):.2f} of that rate; the whole message "
        f"{raw / one:.2f} (at least 0.70); a second one by Ed25519 {two - one:.0f} us more"
    )


if __name__ == "__main__":
    print(f"Python {platform.python_version()}, median of {ROUNDS}")
    with tempfile.TemporaryDirectory() as folder:
        publication.create(
            Path(folder), name="Bench", url="https://news.example.com", postal_address="1 Bench Street",
            sender="Bench <desk@news.example.com>", relay=publication.relay_table("127.0.0.1:25"),
        )  # fmt: skip
        made = load(Path(folder), {})
        say_message(made, personal=False)
        say_message(made, personal=True)
        say_variants(made)
        say_signatures(made, Path(folder))
