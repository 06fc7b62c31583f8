"""Expressions: what may be asked of a reader, and nothing else."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import BadInput
from newsletter.issues import expressions, wording
from newsletter.issues.expressions import BadExpression, Evaluator, Known
from newsletter.issues.traits import NOBODY, Traits
from newsletter.issues.wording import Kind

ADA = Traits(
    email="ada@reader.example", name="Ada Lovelace", language="de", country="GB", audience="buyer",
    topics=("energy", "ports"), attributes={"plan": "pro", "seats": 3, "paid": True}, segments=frozenset({"vip"}),
    list_name="weekly", list_title="The weekly",
)  # fmt: skip


def say(text: str, traits: Traits = ADA) -> str:
    return expressions.shown(Evaluator([expressions.read(text)])(traits)[0])


@pytest.mark.parametrize(
    ("text", "ada", "nobody"),
    [
        ("subscriber.name", "Ada Lovelace", ""),
        ("subscriber.name | default('reader')", "Ada Lovelace", "reader"),
        ("subscriber.name.split(' ')[0]", "Ada", ""),
        ("subscriber.name.split(' ')[-1] | upper | replace('A', 'a')", "LOVELaCE", ""),
        ("{'de': 'Guten Tag'}[subscriber.language] | default('Hello')", "Guten Tag", "Hello"),
        ("subscriber.attributes.plan", "pro", ""),
        ("subscriber.attributes.unheard_of | default('none')", "none", "none"),
        ("(subscriber.attributes.seats | default(0)) + 1", "4", "1"),
        ("'paid' if subscriber.attributes.paid else 'free'", "paid", "free"),
        ("'yours' if 'energy' in subscriber.topics", "yours", ""),
        ("'thank you' if segment('vip') and not segment('new')", "thank you", ""),
        ("list.title ~ ' (' ~ list.name ~ ')'", "The weekly (weekly)", " ()"),
        ("subscriber.country in ['GB', 'IE']", "True", ""),
        ("subscriber.topics | join(', ')", "energy, ports", ""),
        ("subscriber.name | truncate(6)", "Ada L…", ""),
        ("subscriber.topics | length", "2", "0"),
        ("subscriber.email | urlencode", "ada%40reader.example", ""),
        ("subscriber.language | default('en') == 'de' and 'ja'", "ja", ""),
    ],
)
def test_what_a_reader_is_told(text: str, ada: str, nobody: str) -> None:
    assert (say(text), say(text, NOBODY)) == (ada, nobody)


@pytest.mark.parametrize(
    "text",
    [
        "subscriber.__class__", "subscriber.name.__class__.__mro__", "subscriber['__class__']", "subscriber", "list",
        "''.__class__", "().__class__.__bases__[0].__subclasses__()", "self", "self._TemplateReference__context",
        "loop",
        "config", "request", "namespace()", "cycler", "lipsum()", "dict()", "range(10**9)", "range(3)", "caller()",
        "'x' * 10**9", "10 ** 10 ** 10", "'%1000000000s' % 1", "'{0.__class__}'.format(1)", "subscriber.name.format",
        "subscriber.name | center(10**9)", "subscriber.name | attr('__class__')", "subscriber.topics | map('upper')",
        "subscriber.name | format(1)", "subscriber.name.join(['a'])", "subscriber.name.encode()", "(lambda: 1)()",
        "subscriber.name.split(sep=' ')", "subscriber.name.split(*[])", "subscriber.name | default(value=1)", "x = 1",
        "subscriber.name is callable", "segment(subscriber.name)", "segment", "1 2", "", "subscriber.", "'a", "%",
        "subscriber.name }}{{ 1", "import os", "subscriber.attributes", "list.items", "subscriber.id",
        "(" * 200 + "1" + ")" * 200, "'" + "x" * 600 + "'", "subscriber.password", "__import__('os')",
    ],
)  # fmt: skip
def test_whatever_reaches_further_is_refused(text: str) -> None:
    with pytest.raises(BadExpression):
        expressions.read(text)


def test_what_there_is_not_is_named_with_what_is_near() -> None:
    known = Known(attributes=frozenset({"plan"}), segments=frozenset({"vip"}))
    expressions.read("subscriber.attributes.plan if segment('vip')", known)
    for text, said in {
        "subscriber.attributes.plam": "did you mean plan",
        "segment('vips')": "did you mean vip",
        "subscriber.nme": "did you mean name",
        "subscriber.name | uper": "did you mean upper",
    }.items():
        with pytest.raises(BadExpression, match=said):
            expressions.read(text, known)


def test_an_expression_that_fails_for_one_reader_is_empty_for_them_and_takes_no_other_along() -> None:
    asked = ["subscriber.name", "subscriber.attributes.seats - 1", "subscriber.country"]
    together = Evaluator([expressions.read(text) for text in asked])
    assert together(ADA) == ("Ada Lovelace", 2, "GB")
    assert together(Traits(name="Bo", attributes={"seats": "many"}, country="SE")) == ("Bo", "", "SE")


@pytest.mark.parametrize(
    "text",
    [
        "subscriber.name" + " | replace('a', 'aaaaaaaaaaaaaaaaaaaa')" * 11,
        "(subscriber.name ~ subscriber.name ~ subscriber.name) | replace('', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')",
        "subscriber.name.split('a') | join('" + "y" * 300 + "')",
    ],
)
def test_no_result_and_no_wait_is_long(text: str) -> None:
    begun = time.process_time()
    assert len(say(text, Traits(name="a" * 2000))) <= expressions.CUT
    assert time.process_time() - begun < 1


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_at_all_is_understood_or_refused(text: str) -> None:
    try:
        say(text)
    except BadExpression:
        return


# -- the words of an issue --------------------------------------------------------------------------------------------


def told(text: str, *, blocks: bool = True) -> list[tuple[Kind, str]]:
    return [(part.kind, part.text) for part in wording.parts(text, "the intro", blocks=blocks)]


def test_words_are_taken_apart() -> None:
    assert told("Dear {{ subscriber.name }}, {{ 'hello' }}.") == [
        (Kind.TEXT, "Dear "), (Kind.VALUE, "subscriber.name"), (Kind.TEXT, ", "), (Kind.TEXT, "hello"),
        (Kind.TEXT, "."),
    ]  # fmt: skip
    assert told("a\n{% if segment('x') %}\nb\n{% else %}\nc\n{% endif %}\nd") == [
        (Kind.TEXT, "a\n"), (Kind.BEGIN, "segment('x')"), (Kind.TEXT, "\nb\n"), (Kind.END, ""),
        (Kind.BEGIN, "not (segment('x'))"), (Kind.TEXT, "\nc\n"), (Kind.END, ""), (Kind.TEXT, "\nd"),
    ]  # fmt: skip


@given(st.text(alphabet="{}%# \"'ab\n", max_size=30))
@settings(max_examples=300, deadline=None)
def test_a_literal_text_says_itself(text: str) -> None:
    assert "".join(part.text for part in wording.parts(wording.literal(text), "x")) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Dear {{ subscriber.nme }}", "the intro, column 6: '{{ subscriber.nme }}': subscriber.nme is not known"),
        ("One\n\nDear {{ subscriber.nme }}", "the intro, line 3, column 6: "),
        ("{{ subscriber.name", "column 1: this {{ has no }}"),
        ("{# remark #}", "column 1: a remark would stand in the mail"),
        ("{% for x in y %}", "if CONDITION, else and endif"),
        ("{% if segment('x') %}\na", "column 1: this if has no {% endif %}"),
        ("a {% if segment('x') %}b{% endif %}", "column 3: .*on a line of its own"),
        ("{% endif %}", "if CONDITION, else and endif"),
        ("{{ subscriber.attributes.seats + 1 }}", "fails for a reader of whom nothing is known"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        told(text)
    for part in said.split(".*"):
        assert part in str(caught.value)
