"""The kept index: it answers as a fresh comparison of all texts would, and reads only what changed."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bench.related import Writer, edit, fill
from newsletter import db
from newsletter.demo import samples
from newsletter.editorial import format, related, relations, standings
from newsletter.editorial.document import Document
from newsletter.editorial.nearness import Index, Wanted
from tests.conftest import NOW

WRITER = Writer()
TEXTS = {f"text-{number}": format.parse(WRITER.text(number), where="text") for number in range(0, 640, 20)}


class Shelf:
    """Texts that an index reads, and which it asked for."""

    def __init__(self, texts: dict[str, Document]) -> None:
        self.texts, self.asked = texts, list[str]()
        self.known = {(id, format.sha256(text)): text for id, text in texts.items()}

    @property
    def wanted(self) -> dict[str, str]:
        return {id: format.sha256(text) for id, text in self.texts.items()}

    def change(self, id: str, text: Document) -> None:
        self.texts[id] = text
        self.known[id, format.sha256(text)] = text

    def read(self, wanted: Wanted) -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
        for id, sha256 in wanted.items():
            self.asked.append(id)
            text = self.known[id, sha256]
            yield id, text.topics, related.terms(text)


def answers(index: Index, shelf: Shelf) -> dict[str, dict[str, float]]:
    """Return what the index finds near each text, having followed the shelf."""
    index.follow(shelf.wanted, shelf.read)
    return {
        id: {
            name: cosine
            for name, cosine, _ in index.nearest(related.terms(text), id=id, topics=text.topics, cutoff=0.0)
        }
        for id, text in shelf.texts.items()
    }


def test_it_answers_as_a_comparison_of_all_with_all(tmp_path: Path) -> None:
    shelf, corpus = Shelf(dict(TEXTS)), related.Corpus(TEXTS.items())
    index = Index(tmp_path / "kept")
    for id, found in answers(index, shelf).items():
        assert found == pytest.approx({name: cosine for name, cosine, _ in corpus.nearest(id, cutoff=0.0)})
    terms = related.terms(TEXTS["text-0"])
    for (name, cosine, words), nearest in zip(index.nearest(terms, id="text-0"), corpus.nearest("text-0"), strict=True):
        assert (name, words) == (nearest[0], nearest[2])
        assert cosine == pytest.approx(nearest[1])
    pinned = index.nearest(terms, id="text-0", pins=["text-20", "nowhere"], exclude=["text-40"], limit=9)
    assert pinned[0][:2] == ("text-20", 1.0)
    assert {"text-0", "text-40", "nowhere"}.isdisjoint(name for name, _, _ in pinned)
    stranger = index.nearest(terms, id="stranger")  # the same words under a name that is not among them
    assert stranger[0][0] == "text-0"
    assert stranger[0][1] > 0.9


def test_what_changed_is_read_alone_and_then_it_answers_as_if_made_anew(tmp_path: Path) -> None:
    shelf = Shelf(dict(TEXTS))
    answers(Index(tmp_path / "kept"), shelf)
    assert len(shelf.asked) == len(TEXTS)
    shelf.asked.clear()
    shelf.change("text-0", TEXTS["text-20"])  # one of 32: more than a twentieth would make it anew
    changed = answers(Index(tmp_path / "kept"), shelf)
    assert shelf.asked == ["text-0", "text-0"]  # what it said, and what it says
    anew = answers(Index(tmp_path / "other"), shelf)
    assert {id: pytest.approx(found) for id, found in anew.items()} == changed
    assert changed["text-0"]["text-20"] == pytest.approx(1.0)
    shelf.asked.clear()
    assert answers(Index(tmp_path / "kept"), shelf) == changed
    assert shelf.asked == []
    shelf.texts.pop("text-0")
    assert "text-0" not in answers(Index(tmp_path / "kept"), shelf)["text-20"]


def test_a_file_that_is_damaged_old_or_cannot_be_kept_is_made_anew(tmp_path: Path) -> None:
    shelf, path = Shelf(dict(TEXTS)), tmp_path / "kept"
    whole = answers(Index(path), shelf)
    for spoil in (
        lambda: path.write_bytes(b"no database " * 900),
        lambda: path.write_bytes(path.read_bytes()[:20_000]),
        lambda: path.write_bytes(path.read_bytes()[:8_192] + b"x" * 40_000),
        lambda: path.unlink(),
    ):
        spoil()
        assert answers(Index(path), shelf) == whole
        shelf.asked.clear()
        assert answers(Index(path), shelf) == whole
        assert shelf.asked == []  # it was kept again
    assert answers(Index(tmp_path / "no" / "such" / "folder"), shelf) == whole


def test_many_briefings_are_related_as_few_are(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    fill(engine, Writer(), 41)
    for turn in range(2):
        found = []
        for many in (1_000, 10):
            monkeypatch.setattr(relations, "MANY", many)
            with db.reading(engine) as session:
                here = [standings.get(session, id) for id in ("text-0", "text-1")]
                found.append(relations.of(session, {each.id: each.document for each in here}, cutoff=0.01, now=now))
        few, kept = found
        assert kept.keys() == {"text-0", "text-1"}
        for id in kept:
            assert [each.briefing for each in kept[id]] == [each.briefing for each in few[id]]
            assert [each.cosine for each in kept[id]] == pytest.approx([each.cosine for each in few[id]])
        nearest = kept["text-0"][0]
        assert (nearest.briefing, nearest.topics) == (("text-2", ()) if turn else ("text-40", ("subject-0",)))
        edit(engine, Writer(), 2)  # whose first text is that of text-0, but for the subject


def test_a_stored_text_is_skimmed_for_what_its_document_says() -> None:
    for name, words in samples.briefings(NOW):
        document = format.parse(words, where=name)
        for spelled in (words, f"\ufeff{words}".replace("\n", "\r\n"), words.replace("topics: [", "topics:  [ ")):
            topics, terms = relations.skimmed(spelled)
            assert (tuple(topics), sorted(terms)) == (document.topics, sorted(related.terms(document)))
    assert relations.skimmed(WRITER.text(3).replace("[subject-3]", "\n  - one\n  - two"))[0] == ["one", "two"]
