"""What tests share between engines: compiled statements, by the kind of database alone."""

from pathlib import Path

from sqlalchemy import Engine, literal, select

from newsletter import db


def ask(engine: Engine) -> int:
    """Put a question that nothing else puts, and return how many statements are known by then."""
    with db.reading(engine) as session:
        assert session.execute(select(literal(7).label("asked_by_no_room"))).scalar_one() == 7
    return len(engine.get_execution_options()["compiled_cache"])


def test_a_statement_is_compiled_once_for_all_engines_of_a_kind(tmp_path: Path, postgres_database: str) -> None:
    first, second = (db.open_engine(f"sqlite:///{tmp_path / name}.db") for name in ("first", "second"))
    other = db.open_engine(postgres_database)
    known = ask(first)
    assert ask(second) == known
    assert ask(other) == known + 1
    for engine in (first, second, other):
        engine.dispose()
