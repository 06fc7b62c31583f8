"""An issue's other subjects: set and personal as the first is, and part of what is frozen."""

import hashlib
import json
from dataclasses import replace

from newsletter.issues.content import IssueContent
from newsletter.issues.traits import NOBODY, Traits
from newsletter.rendering import checks, press
from newsletter.rendering.rendered import Rendered
from newsletter.settings import Settings
from tests.rendering import samples

HELLO = "{{ subscriber.name | default('Reader') }}, what is new"


def with_others(content: IssueContent, desk: Settings, *others: str) -> Rendered:
    return press.render(replace(content, alternatives=others), desk, samples.LINKS, dated=samples.DATED)


def test_each_subject_is_set_for_its_reader(content: IssueContent, desk: Settings) -> None:
    rendered = with_others(content, desk, "  Or   so ", HELLO)
    assert rendered.subjects == (rendered.subject, "Or so", "[[own:0]], what is new")
    assert rendered.own(samples.VALUES, Traits(name="Ada")).alternatives == ("Or so", "Ada, what is new")
    assert rendered.own(samples.VALUES, NOBODY).alternatives == ("Or so", "Reader, what is new")


def test_other_subjects_change_nothing_else(content: IssueContent, desk: Settings, rendered: Rendered) -> None:
    assert replace(with_others(content, desk, "Or so"), alternatives=()) == rendered


def test_the_hash_of_an_issue_with_one_subject_is_what_it_always_was(rendered: Rendered) -> None:
    words = [rendered.theme, rendered.subject, rendered.preheader, rendered.html, rendered.text, []]
    differs = rendered.personal.as_json()
    told = json.dumps([*words, *([differs] if differs else [])], sort_keys=True, ensure_ascii=False)
    assert rendered.sha256([]) == hashlib.sha256(told.encode()).hexdigest()


def test_the_hash_holds_every_subject_in_its_order(rendered: Rendered) -> None:
    hashes = {
        replace(rendered, alternatives=others).sha256([]) for others in ((), ("A",), ("B",), ("A", "B"), ("B", "A"))
    }
    assert len(hashes) == 5


def test_the_rules_for_subjects_look_at_each(content: IssueContent, desk: Settings) -> None:
    others = ("Short", "A subject that is so long that no telephone shows the whole of it", "STOP PRESS TODAY")
    issue = replace(content, alternatives=others)
    rendered = press.render(issue, desk, samples.LINKS, dated=samples.DATED)
    found = {(each.rule, each.where) for each in checks.check(issue, rendered, desk)}
    assert ("email.subject_long", "subject 3") in found
    assert ("email.subject_loud", "subject 4") in found
    assert not [where for _, where in found if where == "subject 2"]


def test_an_empty_subject_among_others_blocks(content: IssueContent, desk: Settings) -> None:
    issue = replace(content, alternatives=("Or so", "{{ subscriber.name | default('') }}"))
    rendered = replace(press.render(issue, desk, samples.LINKS, dated=samples.DATED), alternatives=("Or so", " "))
    blocking = [each for each in checks.check(issue, rendered, desk) if checks.blocks(each)]
    assert [(each.rule, each.where) for each in blocking] == [("email.subject", "subject 3")]
