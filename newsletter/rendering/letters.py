"""Letters: messages to one reader about their own subscription, in the look of the issues."""

from dataclasses import dataclass
from datetime import datetime

from newsletter.rendering import inline, layout, mjml, press, templates
from newsletter.rendering.slots import strip_controls
from newsletter.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A subject, and what it stands over, twice."""

    subject: str
    html: str
    text: str


def confirmation(settings: Settings, *, title: str, shown: str, link: str, until: datetime) -> Letter:
    """Return the letter that asks a newcomer to a list to confirm; `shown` are the words that they agreed to."""
    return _letter(
        settings, "confirm", f"Confirm: {title}", "One press, and you are on the list.",
        title=title, shown=shown, link=link, until=until,
    )  # fmt: skip


def login(settings: Settings, *, person: str, link: str, until: datetime) -> Letter:
    """Return the letter that lets a person of the desk in; `link` is good for them alone, and once."""
    return _letter(
        settings, "login", f"Come in: {settings.publication.name}", "A link to the desk, good once and soon.",
        person=person, link=link, until=until,
    )  # fmt: skip


def _letter(settings: Settings, name: str, subject: str, preheader: str, **said: object) -> Letter:
    theme, publication = templates.theme(settings), settings.publication
    values: dict[str, object] = {
        "publication": {
            "name": publication.name,
            "language": "en",
            "direction": layout.direction("en"),
            "postal_address": layout.one_line(publication.postal_address),
        },
        "issue": {"subject": subject, "preheader": preheader},
        "links": {"standards": f"{publication.url}/standards"},
        "items": [],
        **said,
    }
    source = mjml.prepare(theme.render(f"{name}.mjml.j2", values))
    html = mjml.to_html(source, theme.place(f"{name}.mjml.j2", values, mjml.prepare))
    html = inline.inline(html, theme.render("inline.css", values), theme.place("inline.css", values))
    text = press.tidy(strip_controls(theme.render(f"{name}.txt.j2", values)))
    return Letter(subject=subject, html=html, text=text)
