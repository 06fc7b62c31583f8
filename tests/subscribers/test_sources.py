"""Files in any dialect and encoding are read as the same records, or refused whole."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subscribers import mapping, sources
from subscribers.errors import BadRow, BadValue
from subscribers.reading import Reader
from subscribers.sources import Dialect, Format, Source


def scan(folder: Path, content: bytes | str, name: str = "people.csv", **how: Any) -> Source:
    """Scan a file of this content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return sources.scan(path, **how)


def cells(source: Source) -> list[list[str]]:
    """Return the cells of each record."""
    return [list(found) for _, found in source.records()]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_separator_is_found_in_the_header(tmp_path: Path, delimiter: str) -> None:
    source = scan(
        tmp_path,
        'name,"e,m;a|i\tl"\nAda,ada@example.com\n'.replace(",", delimiter, 1).replace("Ada,", f"Ada{delimiter}"),
    )
    assert source.columns == ("name", "e,m;a|i\tl")
    assert cells(source) == [["Ada", "ada@example.com"]]


@pytest.mark.parametrize(
    "content",
    [
        b"email,name\nada@example.com,J\xc3\xbcrgen\n",
        b"\xef\xbb\xbfemail,name\r\nada@example.com,J\xc3\xbcrgen\r\n",
        "email,name\nada@example.com,Jürgen\n".encode("utf-16"),
        "\ufeffemail,name\nada@example.com,Jürgen\n".encode("utf-16-be"),
        b"sep=,\r\nemail,name\r\nada@example.com,J\xc3\xbcrgen\r\n",
        b"\n\n,\nemail,name\n\n,,\nada@example.com,J\xc3\xbcrgen",
    ],
)
def test_every_mark_and_line_end_is_understood(tmp_path: Path, content: bytes) -> None:
    source = scan(tmp_path, content)
    assert (source.columns, source.rows) == (("email", "name"), 1)
    assert cells(source) == [["ada@example.com", "Jürgen"]]


def test_text_of_windows_is_offered_and_read_when_it_is_said(tmp_path: Path) -> None:
    content = "email,name\nbob@example.com,Bob\nada@example.com,Jürgen\n".encode("cp1252")
    with pytest.raises(BadRow, match=r"line 3 is no UTF-8 text; as Windows text.*Jürgen.*--encoding cp1252"):
        scan(tmp_path, content)
    assert cells(scan(tmp_path, content, encoding="cp1252"))[1] == ["ada@example.com", "Jürgen"]
    with pytest.raises(BadRow, match="no encoding called 'klingon'"):
        scan(tmp_path, content, encoding="klingon")


def test_quotes_and_escapes_are_what_they_are_said_to_be(tmp_path: Path) -> None:
    text = "email:name\na@example.com:'O\\'Neil: Bob'\n"
    source = scan(tmp_path, text, dialect=Dialect(delimiter=":", quote="'", escape="\\"))
    assert cells(source) == [["a@example.com", "O'Neil: Bob"]]
    assert cells(scan(tmp_path, 'email,name\na@example.com,6" pipe\n', dialect=Dialect(quote=""))) == [
        ["a@example.com", '6" pipe']
    ]
    with pytest.raises(BadRow, match="give one character each"):
        scan(tmp_path, text, dialect=Dialect(delimiter="::"))


def test_json_lines_are_records_of_every_key(tmp_path: Path) -> None:
    source = scan(tmp_path, '{"email": "a@x.example", "n": 1}\n\n{"email": "b@x.example", "tags": ["x"], "n": null}\n')
    assert (source.format, source.columns, source.rows) == (Format.JSONL, ("email", "n", "tags"), 2)
    assert cells(source) == [["a@x.example", "1", ""], ["b@x.example", "", '["x"]']]
    assert [line for line, _ in source.records()] == [1, 3]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no first line"),
        (b"\xef\xbb\xbf", "no first line"),
        (b'email,name\nada@example.com,Ada\nbob@example.com,"Bob\ncyd@example.com,Cyd\n', "line 3: a quote"),
        (b'"email,name\n', "line 1: a quote"),
        (b'{"email": "a@x.example"}\n[1]\n', "line 2: a line holds one object"),
        (b'{"email": "a@x.example"\n', "line 1: this is no JSON"),
        ("email,name\nada@example.com,Ada\n".encode("utf-16")[:-1], "UTF-16 text"),
    ],
)
def test_a_file_that_is_no_table_is_refused_whole(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(BadRow, match=f"people.csv.*{says}"):
        scan(tmp_path, content)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(alphabet="ab@.,;\t|\"'\n\r\0 é\ufeff", max_size=120).map("email,name\n".__add__) | st.text(max_size=60))
def test_any_text_is_rows_and_rejects_or_one_bad_file(tmp_path: Path, text: str) -> None:
    with contextlib.suppress(BadRow):
        source = scan(tmp_path, text.encode("utf-8", "surrogatepass"))
        read = Reader(mapping.choose(source.columns, name="x"), lists={}, on=[], types={}, guarded=True)
        for _, found in source.records():
            if isinstance(found, str):
                assert found
                continue
            with contextlib.suppress(BadValue, KeyError):
                entry = read(found)
                assert not set(entry.person.address.email + entry.person.name) & set("\r\n\0")
