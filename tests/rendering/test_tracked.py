"""Addresses become numbers, and only those that may."""

from newsletter.rendering import tracked
from newsletter.rendering.rendered import Rendered

HTML = (
    '<html><body><p><a title="a > b" href="https://one.example/?a=1&amp;b=2">One</a> '
    '<a href="https://two.example/x">Two</a> <a class="x" href="https://one.example/?a=1&amp;b=2">again</a> '
    '<a href="[[unsubscribe_url]]">Leave</a> <a href="mailto:desk@news.example">Write</a> '
    '<a href="https://three.example/?me=[[url:0]]">Yours</a> <a href="#top">Up</a> '
    '<a href="https://news.example/u/AQAAAAEAAAABB2J7nYBfVd6P3yKAtEYq">A link of somebody\'s own</a></p></body></html>'
)
RENDERED = Rendered(subject="x", preheader="", html=HTML, text="see https://one.example/", theme="briefing")


def test_each_address_has_one_number_and_what_is_a_readers_own_has_none() -> None:
    assert tracked.urls(HTML) == ("https://one.example/?a=1&b=2", "https://two.example/x")
    made = tracked.of(RENDERED)
    assert made.html.count('href="[[click_url]]/1"') == 2
    assert made.html.count('href="[[click_url]]/2"') == 1
    for kept in ("[[unsubscribe_url]]", "mailto:desk@news.example", "[[url:0]]", "#top", "/u/AQAAAAEAAAAB"):
        assert kept in made.html
    assert made.text == RENDERED.text


def test_the_link_that_no_person_sees_is_empty_and_stands_at_the_end() -> None:
    end = tracked.of(RENDERED).html.rpartition("</p>")[2]
    assert end == ('<a href="[[click_url]]/0" tabindex="-1" aria-hidden="true" style="display:none"></a></body></html>')


def test_html_without_addresses_stays_as_it_is() -> None:
    bare = Rendered(subject="x", preheader="", html="<p>Nothing to follow</p>", text="x", theme="briefing")
    assert tracked.of(bare) is bare
