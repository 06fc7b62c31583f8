"""A briefing as machines read it: schema.org NewsArticle in JSON-LD, with its sources and its corrections."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup

from newsletter.editorial.document import Citation, Document
from newsletter.issues.archive import ListedIssue
from newsletter.rendering import markdown
from newsletter.settings import Publication
from newsletter.web.corrections import Correction

#: Inside <script> nothing may end the element or open a comment (HTML, 4.12.1.3); JSON can say these otherwise.
_HARMLESS = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def article(
    document: Document, *, publication: Publication, published: datetime | None, corrections: Sequence[Correction]
) -> Markup:
    """Return the text of the page's JSON-LD, ready to stand in its script element."""
    desk = {"@type": "NewsMediaOrganization", "name": publication.name, "url": f"{publication.url}/"}
    standards = f"{publication.url}/standards"
    said: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": document.title,
        "description": markdown.sentence(document.introduction, most=300),
        "inLanguage": document.language,
        "mainEntityOfPage": f"{publication.url}/briefings/{document.id}",
        "articleSection": document.desk,
        "keywords": list(document.topics),
        "author": desk,
        "publisher": {**desk, "publishingPrinciples": standards, "correctionsPolicy": f"{publication.url}/corrections"},
        "publishingPrinciples": standards,
        "isBasedOn": [source.url for source in document.sources if source.url],
        "citation": [_cited(source) for source in document.sources],
        "datePublished": published,
        "dateModified": max((each.at for each in corrections), default=published),
        "correction": [
            {"@type": "CorrectionComment", "text": each.words, "datePublished": each.at} for each in corrections
        ],
    }
    return script({name: value for name, value in said.items() if value})


def issue(listed: ListedIssue, *, publication: Publication) -> Markup:
    """Return the JSON-LD of an issue's page: schema.org PublicationIssue, with its briefings as its parts."""
    desk = {"@type": "NewsMediaOrganization", "name": publication.name, "url": f"{publication.url}/"}
    parts = [
        {"@type": "NewsArticle", "headline": each.title, "url": f"{publication.url}/briefings/{each.id}"}
        for each in listed.items
    ]
    return script({
        "@context": "https://schema.org", "@type": "PublicationIssue", "name": listed.title,
        "issueNumber": listed.id, "url": f"{publication.url}/issues/{listed.id}", "datePublished": listed.sent,
        "dateModified": listed.changed, "publisher": desk, "inLanguage": publication.language,
        "isPartOf": {"@type": "Periodical", "name": publication.name, "url": f"{publication.url}/"},
        "hasPart": parts,
    })  # fmt: skip


def script(value: object) -> Markup:
    """Return a value as JSON that may stand in a script element."""
    text = json.dumps(value, ensure_ascii=False, default=datetime.isoformat)
    return Markup(text.translate(_HARMLESS))


def _cited(source: Citation) -> dict[str, Any]:
    cited = {
        "@type": "CreativeWork", "name": source.title or source.name, "url": source.url,
        "datePublished": source.published, "publisher": {"@type": "Organization", "name": source.name},
    }  # fmt: skip
    return {name: value for name, value in cited.items() if value}
