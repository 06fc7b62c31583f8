"""The plan against the slow way: whatever the issue and the reader, the bytes of a copy say the same."""

import email
import email.policy
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from newsletter.editorial.document import Document
from newsletter.issues.content import IssueContent, ItemContent, Terms
from newsletter.issues.models import Unmatched
from newsletter.issues.traits import Traits
from newsletter.rendering import compiled, press, slots
from newsletter.rendering.rendered import Rendered
from newsletter.rendering.slots import Slot
from newsletter.settings import Settings
from tests.rendering import samples, slowly

THEMES = ("briefing", "digest", "letter")
TOPICS = ("ports", "energy", "cold chain", "law")
AUDIENCES = ("buyer", "engineer")
SEGMENTS = ("vip", "lapsed")
_HOSTILE = st.sampled_from([
    "", " ", "[[email]]", "[[own:0]]", "[[if:0]]", "]]", "[[", "<!--[[fi:0]]-->", "-->", "</style>", "<b>", "&amp;",
    '"', "'", "{{ 7 * 7 }}", "{% if x %}", "a\r\nBcc: x@y.example", "\x00", "\x85", "\u2028", "\u202e", "😀", "❤️",
    "👩‍🚀", "हिन्दी", "ไทย", "العربية", "עברית", "中文", "e\u0301", "\ufeff", "\ud800", "=?utf-8?q?x?=", ".", "From ",
    "x" * 300, "a b " * 60, "%0d%0a", "\\",
])  # fmt: skip
VALUE = st.one_of(_HOSTILE, st.text(max_size=30), st.lists(_HOSTILE, max_size=4).map("".join))
WORDS = st.one_of(_HOSTILE, st.text(min_size=1, max_size=40)).filter(lambda text: text.strip())
EXPRESSIONS = (
    "{{ subscriber.name | default('reader') }}",
    "{{ subscriber.name.split(' ')[0] | upper }}",
    "{{ {'de': 'Guten Tag', 'fr': 'Bonjour'}[subscriber.language] | default('Hello') }}",
    "{{ subscriber.attributes.plan }}",
    "{{ subscriber.country ~ list.title }}",
    "[a](https://shop.example/?c={{ subscriber.attributes.plan }}&n={{ subscriber.name }})",
    "\n{% if segment('vip') %}\nFor **you**, {{ subscriber.name }}.\n\nMore.\n{% else %}\nFor others.\n{% endif %}\n",
    "\n{% if subscriber.audience == 'buyer' %}\nBuyers\n{% if segment('lapsed') %}\nof old\n{% endif %}\n{% endif %}\n",
    "{{ subscriber.topics | join(', ') }}",
)  # fmt: skip
TRAITS = st.builds(
    Traits,
    email=st.just("ada@reader.example"),
    name=VALUE,
    language=st.sampled_from(["", "de", "fr", "en"]),
    country=st.sampled_from(["", "DE", "JP"]),
    audience=st.sampled_from(["", *AUDIENCES, "other"]),
    topics=st.lists(st.sampled_from([*TOPICS, "unheard of"]), unique=True, max_size=3).map(sorted).map(tuple),
    attributes=st.fixed_dictionaries({}, optional={"plan": VALUE}),
    segments=st.frozensets(st.sampled_from(SEGMENTS)),
    list_name=st.just("weekly"),
    list_title=VALUE,
)
PIECES = st.lists(st.one_of(st.sampled_from(EXPRESSIONS), st.sampled_from([" ", "\n\n", "x, "])), max_size=5)


@st.composite
def issues(draw: st.DrawFn) -> IssueContent:
    documents: list[Document] = [samples.CRANES, samples.COLD, samples.FEES][: draw(st.integers(1, 3))]
    items = []
    for position, document in enumerate(documents, start=1):
        told = replace(
            document,
            title=draw(st.one_of(st.just(document.title), WORDS)),
            topics=tuple(draw(st.lists(st.sampled_from(TOPICS), unique=True, max_size=2))),
            audience=tuple(draw(st.lists(st.sampled_from(AUDIENCES), unique=True, max_size=2))),
            sources=draw(st.sampled_from([document.sources, (*document.sources, samples.CRANES.sources[0])])),
        )
        items.append(ItemContent(position=position, sha256=f"{position:064x}", document=told))
    terms = Terms(
        by_topic=draw(st.booleans()),
        by_audience=draw(st.booleans()),
        leads=draw(st.integers(1, len(items))),
        unmatched=draw(st.sampled_from(Unmatched)),
    )
    subject = draw(st.sampled_from(["Cranes", *EXPRESSIONS[:5]]))
    return IssueContent(
        id=12, subject=f"{subject}: news", preheader=draw(st.sampled_from(["", *EXPRESSIONS[:4]])),
        intro="".join(draw(PIECES)), items=tuple(items), terms=terms,
    )  # fmt: skip


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Settings]:
    folder = tmp_path_factory.mktemp("personal")
    made = {name: samples.publication(folder / name) for name in THEMES}
    return {name: samples.retell(each, "[sender]", f'theme = "{name}"\n\n[sender]') for name, each in made.items()}


def read_back(rendered: Rendered, traits: Traits, values: dict[Slot, str]) -> tuple[str, str]:
    """Return text and HTML of a copy as a mail program reads them."""
    made = compiled.compile(rendered.html, rendered.text, boundary="issue-12", personal=rendered.personal)
    head = f"MIME-Version: 1.0\r\nContent-Type: {made.content_type}\r\n\r\n".encode()
    body = made.parts(values, rendered.personal.decide(traits))
    message = email.message_from_bytes(b"".join((head, *body)), policy=email.policy.SMTP)
    text, html = [part.get_payload(decode=True) for part in message.iter_parts()]
    assert isinstance(text, bytes)
    assert isinstance(html, bytes)
    return text.decode().replace("\r\n", "\n"), html.decode().replace("\r\n", "\n")


@given(issues(), st.sampled_from(THEMES), st.lists(TRAITS, min_size=2, max_size=3))
@settings(max_examples=40, deadline=None)
def test_a_copy_says_what_the_templates_say_to_that_reader_alone(
    places: dict[str, Settings], content: IssueContent, theme: str, readers: list[Traits]
) -> None:
    place = places[theme]
    assume(not any(slots.MARK.search(item.document.title) for item in content.items))
    rendered = press.render(content, place, samples.LINKS, dated=samples.DATED)
    for traits in readers:
        values = {**samples.VALUES, Slot.LIST_TITLE: traits.list_title}
        slow = slowly.copy(content, place, values, traits)
        assert rendered.personal.concerns(traits) is (slow is not None)
        if slow is None:
            continue
        text, html = read_back(rendered, traits, values)
        assert html == slow.html
        assert text == slow.text
        own = rendered.own(values, traits)
        assert (own.subject, own.html, own.text) == (slow.subject, slow.html, slow.text)
        assert slow.items
        for item in content.items:
            there = item.position - 1 in slow.items
            assert (f"item-{item.document.id}" in html) is there
