"""A text laid beside its sources: where words that both share begin and end in the text, and where they stand there."""

from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.editorial.overlap import Overlap, Run
from newsletter.editorial.tokens import Passage


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Some words of a part of a text; `run` is the number of the run that they are, 0 where they are none."""

    text: str
    run: int = 0


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a text that shares words with sources, cut where they begin and end; `runs` are numbered likewise."""

    where: str
    pieces: tuple[Piece, ...]
    runs: dict[int, Run]


def lay(passages: Sequence[Passage], found: Overlap) -> list[Part]:
    """Return the parts that share words with sources, in their order; runs are numbered from 1 through the text."""
    numbered = dict(enumerate(found.runs, start=1))
    runs = {each.where: {n: run for n, run in numbered.items() if run.where == each.where} for each in passages}
    return [
        Part(where=each.where, pieces=tuple(_cut(each, runs[each.where])), runs=runs[each.where])
        for each in passages if runs[each.where]
    ]  # fmt: skip


def _cut(passage: Passage, runs: dict[int, Run]) -> list[Piece]:
    text, done, pieces = " ".join(passage.text.split()), 0, list[Piece]()
    for number, run in runs.items():
        start = text.find(run.text, done)
        if start >= 0:
            pieces += [Piece(text=text[done:start]), Piece(text=run.text, run=number)]
            done = start + len(run.text)
    return [piece for piece in (*pieces, Piece(text=text[done:])) if piece.text]
