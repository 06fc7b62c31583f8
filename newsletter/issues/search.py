"""The search over what is listed: the same letters, words and ranks on SQLite (FTS5) and on PostgreSQL.

What counts as a word is decided here, and the database gets words that are folded already. What is listed is taken
from the archive at each search, so nothing is found that was withdrawn; a text that is not in the index yet, or that
reads otherwise there, is put in before the search.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape
from sqlalchemy import TextClause, delete, insert, select, text
from sqlmodel import Session

from newsletter.editorial import briefings
from newsletter.editorial.document import Document
from newsletter.issues.archive import Archive, ListedBriefing, ListedIssue
from newsletter.issues.models import SearchText
from subscribers import upsert

_TABLE = upsert.table(SearchText)
# A run of letters and digits; where a script has no spaces between words, each letter.
_ALONE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_ALONE}]|[^\W_{_ALONE}]+")
_MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*_`>#]+")
#: How many words of a question are heeded, and how long one may be.
MOST_WORDS, LONGEST = 12, 60
#: How many places PostgreSQL counts in a text; what stands later has the last of them.
_PLACES = 16_383
#: How many words stand around those that were found, and how many of these are looked at.
_AROUND, _MOST_HITS = 14, 200


@dataclass(frozen=True, kw_only=True)
class Hit:
    """Something that was found; `excerpt` is markup with the words of the question in <mark>."""

    kind: str
    name: str
    title: Markup
    excerpt: Markup


def words(question: str) -> tuple[str, ...]:
    """Return the words of a question, folded; nothing in it is syntax."""
    found = (fold(each)[:LONGEST] for each in _WORD.findall(question[:1000]))
    return tuple(dict.fromkeys(each for each in found if each))[:MOST_WORDS]


def fold(word: str) -> str:
    """Return a word without case and without accents."""
    apart = unicodedata.normalize("NFKD", word.casefold())
    return "".join(mark for mark in apart if mark.isalnum())


def stale(session: Session, archive: Archive) -> bool:
    """Return whether anything that is listed is not in the index as it reads now."""
    return bool(_missing(session, archive))


def refresh(session: Session, archive: Archive) -> int:
    """Bring the index up to what is listed, and return how many texts were put in."""
    if session.get_bind().dialect.name == "postgresql":  # two that search at once would put one text in twice
        session.execute(text("LOCK TABLE search_text IN SHARE ROW EXCLUSIVE MODE"))
    missing = _missing(session, archive)
    listed = _hashes(archive)
    for number, kind, name in session.execute(select(_TABLE.c.id, _TABLE.c.kind, _TABLE.c.name)).all():
        if (kind, name) not in listed or (kind, name) in missing:
            session.execute(text("DELETE FROM search_index WHERE " + _key(session)), {"id": number})
            session.execute(delete(_TABLE).where(_TABLE.c.id == number))
    for (kind, name), sha256 in missing.items():
        if kind == "issue":
            title, said = _of_issue(archive, int(name))
        else:
            title, said = _of_briefing(briefings.text_at(session, name, archive.by_id[name].sha256))
        _put(session, kind, name, sha256, title[:500], said)
    return len(missing)


def find(
    session: Session, archive: Archive, question: Sequence[str], *, skip: int = 0, most: int = 20
) -> tuple[int, list[Hit]]:
    """Return how much has all the words of a question, or words that begin so, and a part of it, best first."""
    if not question:
        return 0, []
    listed = _hashes(archive)
    rows = session.execute(_query(session), {"asked": _asked(session, question)}).all()
    found = [row.id for row in rows if (row.kind, row.name) in listed]
    shown = found[skip : skip + most]
    texts = {row.id: row for row in session.execute(select(_TABLE).where(_TABLE.c.id.in_(shown)))}
    part = [
        Hit(kind=each.kind, name=each.name, title=marked(each.title, question), excerpt=excerpt(each.text, question))
        for each in (texts[number] for number in shown)
    ]
    return len(found), part


def marked(title: str, question: Sequence[str]) -> Markup:
    """Return the text as markup with the words of the question in <mark>."""
    made, end = Markup(""), 0
    for found in _WORD.finditer(title):
        if _meant(found[0], question):
            made += escape(title[end : found.start()]) + Markup("<mark>") + escape(found[0]) + Markup("</mark>")
            end = found.end()
    return made + escape(title[end:])


def excerpt(said: str, question: Sequence[str]) -> Markup:
    """Return the part of a text with most words of the question, some words around it."""
    there = list(_WORD.finditer(said))
    if not there:
        return Markup("")
    hits = [number for number, found in enumerate(there) if _meant(found[0], question)]
    del hits[_MOST_HITS:]
    first = max(hits, key=lambda hit: sum(hit <= each < hit + 2 * _AROUND for each in hits), default=0)
    begin, end = max(first - _AROUND, 0), min(first + 2 * _AROUND, len(there) - 1)
    part = said[there[begin].start() : there[end].end()]
    before, after = "… " if begin else "", " …" if end < len(there) - 1 else said[there[end].end() :]
    return escape(before) + marked(part, question) + escape(after)


def _meant(word: str, question: Sequence[str]) -> bool:
    folded = fold(word)
    return any(folded.startswith(asked) for asked in question)


def _hashes(archive: Archive) -> dict[tuple[str, str], str]:
    """Return what is listed, by kind and name, with the hash of what it says."""
    listed = {("briefing", each.id): each.sha256 for each in archive.briefings}
    listed.update({("issue", str(each.id)): _hash(each) for each in archive.issues})
    return listed


def _hash(issue: ListedIssue) -> str:
    said = "\0".join([issue.title, issue.preheader, issue.intro, *(each.sha256 for each in issue.items)])
    return hashlib.sha256(said.encode("utf-8", "backslashreplace")).hexdigest()


def _missing(session: Session, archive: Archive) -> dict[tuple[str, str], str]:
    rows = session.execute(select(_TABLE.c.kind, _TABLE.c.name, _TABLE.c.sha256)).all()
    there: Mapping[tuple[str, str], str] = {(kind, name): sha256 for kind, name, sha256 in rows}
    return {key: sha256 for key, sha256 in _hashes(archive).items() if there.get(key) != sha256}


def _of_issue(archive: Archive, number: int) -> tuple[str, str]:
    issue = archive.issue(number)
    assert issue
    return issue.title, _plain([issue.preheader, issue.intro, *(_headline(each) for each in issue.items)])


def _headline(briefing: ListedBriefing) -> str:
    return briefing.title if briefing.title.endswith((".", "!", "?")) else f"{briefing.title}."


def _of_briefing(document: Document) -> tuple[str, str]:
    sources = [f"{each.name}: {each.title}" if each.title else each.name for each in document.sources]
    said = [document.introduction, *document.key_points, document.what_happened, document.why_it_matters,
            document.buyer_relevance, document.what_to_watch_next, *sources, " ".join(document.topics)]  # fmt: skip
    return document.title, _plain(said)


def _plain(parts: Iterable[str]) -> str:
    """Return Markdown as words in a row, as an excerpt shows them."""
    return " ".join(_MARKUP.sub(lambda found: found[1] or " ", " ".join(parts)).split())


def _put(session: Session, kind: str, name: str, sha256: str, title: str, said: str) -> None:
    row = {"kind": kind, "name": name, "sha256": sha256, "title": title, "text": said}
    number = session.execute(insert(_TABLE).returning(_TABLE.c.id), row).scalar_one()
    tokens = [fold(each) for each in _WORD.findall(title)], [fold(each) for each in _WORD.findall(said)]
    if session.get_bind().dialect.name == "postgresql":
        statement = "INSERT INTO search_index (id, words) VALUES (:id, CAST(:words AS tsvector))"
        session.execute(text(statement), {"id": number, "words": _vector(*tokens)})
        return
    statement = "INSERT INTO search_index (rowid, title, words) VALUES (:id, :title, :words)"
    session.execute(text(statement), {"id": number, "title": " ".join(tokens[0]), "words": " ".join(tokens[1])})


def _key(session: Session) -> str:
    return "id = :id" if session.get_bind().dialect.name == "postgresql" else "rowid = :id"


def _vector(title: Sequence[str], said: Sequence[str]) -> str:
    """Return words as PostgreSQL writes them in a tsvector: those of the title weigh most."""
    places: dict[str, list[str]] = {}
    for place, word in enumerate([*title, *said], start=1):
        if word:
            weight = "A" if place <= len(title) else "D"
            places.setdefault(word[:500], []).append(f"{min(place, _PLACES)}{weight}")
    return " ".join(f"'{word}':{','.join(there[:200])}" for word, there in places.items())


def _asked(session: Session, question: Sequence[str]) -> str:
    """Return the question as the database reads it; a word is letters and digits, so it cannot end its quotes."""
    if session.get_bind().dialect.name == "postgresql":
        return " & ".join(f"'{word}':*" for word in question)
    return " AND ".join(f'"{word}"*' for word in question)


def _query(session: Session) -> TextClause:
    if session.get_bind().dialect.name == "postgresql":
        return text(
            "SELECT s.id, s.kind, s.name FROM search_index i JOIN search_text s ON s.id = i.id, "
            "CAST(:asked AS tsquery) asked WHERE i.words @@ asked "
            "ORDER BY ts_rank(i.words, asked, 1) DESC, s.kind, s.name"
        )
    return text(
        "SELECT s.id, s.kind, s.name FROM search_index JOIN search_text s ON s.id = search_index.rowid "
        "WHERE search_index MATCH :asked ORDER BY bm25(search_index, 8.0, 1.0), s.kind, s.name"
    )
