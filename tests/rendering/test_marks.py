"""The personal parts of an issue: where they may stand, and what everybody sees of them."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.errors import BadInput, Refused, TemplateError
from newsletter.issues.content import IssueContent, Terms
from newsletter.issues.expressions import Known
from newsletter.issues.traits import NOBODY, Traits
from newsletter.rendering import press
from newsletter.rendering.personal import NOTHING, Personal
from newsletter.rendering.rendered import Rendered
from newsletter.settings import Settings
from tests.rendering import samples

SHARED = Path(__file__).parents[2] / "templates" / "shared"


def by_topic(content: IssueContent) -> IssueContent:
    """Return the issue by topic and audience: each of its items is about one thing and for one role."""
    about = (("ports", "buyer"), ("cold chain", "engineer"), ("routes", "buyer"))
    items = tuple(
        replace(item, document=replace(item.document, topics=(topic,), audience=(role,)))
        for item, (topic, role) in zip(content.items, about, strict=True)
    )
    return replace(content, items=items, terms=Terms(by_topic=True, by_audience=True))


def own(rendered: Rendered, **traits: object) -> Rendered:
    return rendered.own(samples.VALUES, Traits(**traits))  # type: ignore[arg-type]


def override(desk: Settings, file: str, old: str, new: str) -> None:
    path = desk.path("templates") / "shared" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    text = (path if path.exists() else SHARED / file).read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_an_issue_that_does_not_say_so_is_the_same_for_every_reader(rendered: Rendered) -> None:
    assert rendered.personal == NOTHING
    assert "[[if:" not in rendered.html + rendered.text
    one, other = (own(rendered, topics=topics, audience="buyer") for topics in ((), ("ports",)))
    assert one == other


def test_only_the_items_of_a_readers_topics_are_in_their_copy_and_in_its_credits(
    content: IssueContent, desk: Settings
) -> None:
    rendered = press.render(by_topic(content), desk, samples.LINKS, dated=samples.DATED)
    mine = own(rendered, topics=("cold chain",))
    for shown in (mine.html, mine.text):
        assert "Cheap sensors change" in shown
        assert "Reefer Monitor" in shown
        assert "https://reefer.example/loggers" in shown
        for absent in ("electric quay cranes", "Quayside Journal", "quayside.example", "canal.example"):
            assert absent not in shown
    lead = own(rendered, topics=("unheard of",))
    assert "electric quay cranes" in lead.html
    assert "Cheap sensors change" not in lead.html
    everything = own(rendered)
    assert all(item.document.title in " ".join(everything.text.split()) for item in content.items)


def test_a_relevance_paragraph_is_for_the_briefings_audience(content: IssueContent, desk: Settings) -> None:
    rendered = press.render(by_topic(content), desk, samples.LINKS)
    for audience, words in {"buyer": (True, False), "engineer": (False, True), "": (True, True)}.items():
        copy = own(rendered, audience=audience)
        for shown in (copy.html, " ".join(copy.text.split())):
            assert ("If you ship through these ports" in shown, "Check which of your contracts" in shown) == words


def test_words_and_address_of_an_intro_differ_by_reader(content: IssueContent, desk: Settings) -> None:
    intro = "Dear **{{ subscriber.name | default('reader') }}**, [see](https://a.example/?n={{ subscriber.name }}).\n\n"
    intro += "{% if segment('vip') %}\nThank *you*.\n{% else %}\nJoin us.\n{% endif %}"
    rendered = press.render(replace(content, intro=intro), desk, samples.LINKS)
    ada = own(rendered, name="Ada & <Co>", segments=frozenset({"vip"}))
    assert re.search(r"Dear <strong>Ada &amp; &lt;Co&gt;</strong>", ada.html)
    assert 'href="https://a.example/?n=Ada%20%26%20%3CCo%3E"' in ada.html
    assert "Dear Ada & <Co>," in ada.text
    assert "https://a.example/?n=Ada%20%26%20%3CCo%3E" in ada.text
    assert ("Thank <em>you</em>" in ada.html, "Join us" in ada.html, "Join us" in ada.text) == (True, False, False)
    whole, public = rendered.whole(), rendered.public(samples.VALUES)
    assert "Thank you." in whole.text
    assert "Join us." in whole.text
    assert "[[unsubscribe_url]]" in whole.text
    assert "Thank you." not in public.text
    assert "Dear reader," in public.text


@pytest.mark.parametrize(
    ("intro", "said"),
    [
        ("[x]({{ subscriber.attributes.site }})", "could lead anywhere"),
        ("[x](https://{{ subscriber.name }}.example/)", "could lead anywhere"),
        ("See https://{{ subscriber.name }}", "could lead anywhere"),
        ("[x](//{{ subscriber.name }})", "could lead anywhere"),
        ("[x](https:/{{ subscriber.name }})", "could lead anywhere"),
        ("- a\n\n  {{ subscriber.nme }}", "line 3, column 3"),
        ("{% if segment('x') %}\n<b>", "no {% endif %}"),
    ],
)
def test_what_could_do_harm_in_an_intro_is_refused(
    content: IssueContent, desk: Settings, intro: str, said: str
) -> None:
    with pytest.raises((Refused, BadInput), match=re.escape(said)):
        press.render(replace(content, intro=intro), desk, samples.LINKS)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("reader.mjml.j2", "</p>", '{{ personal("subscriber.name") | upper }}</p>', "a filter of the templates"),
        ("reader.mjml.j2", "</p>", '{{ personal("subscriber.nme") }}</p>', "reader.mjml.j2:2: subscriber.nme"),
        ("reader.mjml.j2", "</p>", '</p><a href="{{ personal("subscriber.name") }}">x</a>', "could lead anywhere"),
        ("screen.css", "{", '{ content: "{{ personal("subscriber.name") }}";', "in a <style>"),
        ("frame.mjml.j2", "{% call only(item.shown) %}", "{% call only(none) %}", "items by topic: issue.mjml.j2"),
        ("relevance.mjml.j2", "{% call only(item.relevance_shown) %}", "{% call only(none) %}", "by audience: issue"),
        ("sources.mjml.j2", "<ul>", "<ul>{% call only(\"segment('x')\") %}<li>{% endcall %}</li>", "between whole"),
    ],
)
def test_a_template_that_misplaces_a_personal_part_is_refused(
    content: IssueContent, desk: Settings, file: str, old: str, new: str, said: str
) -> None:
    override(desk, file, old, new)
    with pytest.raises((TemplateError, Refused), match=re.escape(said)):
        press.render(by_topic(content), desk, samples.LINKS)


def test_templates_may_ask_and_leave_out(content: IssueContent, desk: Settings) -> None:
    override(
        desk, "reader.mjml.j2", "</p>", " {{ personal(\"subscriber.name | default('you')\") }}</p>"
        "{% call only(\"subscriber.country == 'DE'\") %}<p>Impressum</p>{% endcall %}",
    )  # fmt: skip
    rendered = press.render(content, desk, samples.LINKS)
    assert "Weekly digest. Ada &quot;A&quot;</p><p" in own(rendered, name='Ada "A"', country="DE").html
    assert ("Impressum" in own(rendered, country="DE").html, "Impressum" in own(rendered).html) == (True, False)


def test_an_attribute_that_was_taken_back_keeps_the_issue_from_being_set(content: IssueContent, desk: Settings) -> None:
    asked = replace(content, subject="{{ subscriber.attributes.plan | default('x') }}")
    known = Known(attributes=frozenset({"plan"}), segments=frozenset())
    assert press.render(asked, desk, samples.LINKS, known=known).subject == "[[own:0]]"
    with pytest.raises(BadInput, match=r"issue 12, subject, column 1: .* no attribute plan is declared"):
        press.render(asked, desk, samples.LINKS, known=replace(known, attributes=frozenset()))


def test_definitions_outlive_the_database(content: IssueContent, desk: Settings) -> None:
    asked = replace(by_topic(content), subject="{{ subscriber.name | default('x') }}")
    rendered = press.render(asked, desk, samples.LINKS)
    stored = rendered.personal.as_json()
    assert Personal.from_json(stored) == rendered.personal
    assert Personal.from_json({}) == NOTHING
    for changed in (
        {**stored, "expressions": ["subscriber.email"]}, {**stored, "leads": 2}, {**stored, "skip": True},
        {**stored, "topics": []}, {**stored, "conditions": stored["conditions"][::-1]},
    ):  # fmt: skip
        altered = replace(rendered, personal=Personal.from_json(changed))
        assert altered.sha256([]) != rendered.sha256([])


def test_a_reader_of_whom_nothing_is_known_gets_everything(content: IssueContent, desk: Settings) -> None:
    rendered = press.render(by_topic(content), desk, samples.LINKS)
    assert rendered.own(samples.VALUES, NOBODY) == rendered.public(samples.VALUES)
