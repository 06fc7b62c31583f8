"""What holds for every page: headers, limits, failures, the paths of the public address."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx2
import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from newsletter import db
from newsletter.errors import Refused
from newsletter.settings import Settings, load
from newsletter.web import guard, serve
from newsletter.web.app import create
from subscribers.tokens import Purpose
from tests.web.conftest import Desk, served

PLAIN = ["/", "/standards", "/about-links", "/pages.css", "/robots.txt", "/healthz", "/readyz"]


def pages(desk: Desk) -> list[str]:
    return [*PLAIN, desk.leave(desk.ana, desk.weekly), desk.link(Purpose.PREFERENCES, desk.ana)]


def test_every_answer_carries_the_headers_that_keep_it_safe(desk: Desk) -> None:
    answers = [desk.client.get(path) for path in [*pages(desk), "/nowhere", "/u/forged", "/briefings/none"]]
    answers += [desk.client.post("/healthz"), desk.client.post(pages(desk)[-1]), desk.client.put("/", content=b"x")]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert "set-cookie" not in answer.headers
        assert "<script" not in answer.text
        assert " style=" not in answer.text  # the policy would not let it work


def test_headers_without_end_are_refused(desk: Desk) -> None:
    assert desk.client.get("/", headers={"X-Long": "x" * 15_000}).status_code == 200
    answer = desk.client.get("/", headers={f"X-Long-{number}": "x" * 5_000 for number in range(4)})
    assert (answer.status_code, answer.headers["x-frame-options"]) == (431, "DENY")


def test_pages_behind_a_token_are_kept_by_no_cache_and_no_index(desk: Desk) -> None:
    for path in pages(desk)[len(PLAIN) :]:
        answer = desk.client.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert "noindex" in answer.headers["x-robots-tag"]
        assert '<meta name="robots" content="noindex, nofollow">' in answer.text
    assert "x-robots-tag" not in desk.client.get("/standards").headers
    url = desk.settings.publication.url
    assert desk.client.get("/robots.txt").text == f"User-agent: *\nAllow: /\nSitemap: {url}/sitemap.xml\n"


def test_every_page_has_a_language_one_heading_a_title_and_labels(desk: Desk) -> None:
    for path in ["/", "/standards", "/about-links", "/nowhere", *pages(desk)[len(PLAIN) :]]:
        page = desk.client.get(path).text
        assert '<html lang="en">' in page
        assert len(re.findall("<h1[ >]", page)) == 1
        assert re.search("<title>[^<]+ · Harbour Brief</title>", page)
        fields = page.count('type="checkbox"') + page.count('type="radio"')
        assert len(re.findall("<label>", page)) == fields


def test_head_answers_as_get_does_without_a_body(desk: Desk) -> None:
    with served(desk.settings, desk.engine) as address, httpx2.Client(base_url=address) as client:
        for path in pages(desk):
            shown, asked = client.get(path), client.head(path)
            assert (asked.status_code, asked.content) == (shown.status_code, b"") == (200, b"")
            assert asked.headers["content-type"] == shown.headers["content-type"]


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_beyond_64_kb_is_refused_and_changes_nothing(desk: Desk, declared: bool) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"List-Unsubscribe=One-Click&padding="
        for _ in range(20):
            yield b"x" * 8192

    before = desk.rows()
    body = b"".join(chunks()) if declared else chunks()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    with served(desk.settings, desk.engine) as address:
        answer = httpx2.post(address + desk.leave(desk.ana, desk.weekly), content=body, headers=headers)
    assert answer.status_code == 413
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert desk.rows() == before


def test_a_form_of_allowed_size_passes(desk: Desk) -> None:
    body = b"List-Unsubscribe=One-Click&padding="
    body += b"x" * (guard.LIMIT - len(body))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert desk.client.post(desk.leave(desk.ana, desk.weekly), content=body, headers=headers).status_code == 200


def test_a_failure_gives_a_plain_page_without_details(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with desk.engine.begin() as connection:
        connection.execute(text("ALTER TABLE topic RENAME TO topic_away"))
    try:
        answer = desk.client.get(desk.link(Purpose.PREFERENCES, desk.ana))
    finally:
        with desk.engine.begin() as connection:
            connection.execute(text("ALTER TABLE topic_away RENAME TO topic"))
    assert answer.status_code in (500, 503)  # SQLite says of a missing table what it says of a locked one
    assert answer.headers["content-security-policy"] == guard.POLICY
    for detail in ("topic", "Traceback", "SELECT", "sqlite", "psycopg"):
        assert detail not in answer.text
    assert "ana@quay.example" not in caplog.text


def test_a_database_without_the_schema_is_not_ready_but_the_process_is_healthy(desk: Desk) -> None:
    assert desk.client.get("/readyz").status_code == 200
    with desk.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        answer = desk.client.get("/readyz")
    finally:
        with desk.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": db.VERSIONS[-1]})
    assert (answer.status_code, answer.text) == (503, "the database is not ready\n")
    assert desk.client.get("/healthz").text == "ok\n"


def test_the_standards_are_those_of_the_file_with_its_heading_and_no_markup_of_its_own(desk: Desk) -> None:
    path = desk.settings.path("standards.md")
    path.write_text(
        "# How we work & why\n\nWe *name* sources.\n\n## Corrections\n\n<script>x</script> [a](javascript:b)\n"
    )
    page = desk.client.get("/standards").text
    assert "<h1>How we work &amp; why</h1>" in page
    assert "<p>We <em>name</em> sources.</p>" in page
    assert "<h2>Corrections</h2>" in page
    assert "<script" not in page
    assert 'href="javascript' not in page
    path.unlink()
    assert desk.client.get("/standards").status_code == 404


def test_a_publication_may_bring_its_own_page(desk: Desk) -> None:
    folder = desk.settings.path("templates/web")
    folder.mkdir(parents=True)
    (folder / "front.html.j2").write_text("<h1>Our own {{ publication.name }}</h1>")
    with TestClient(create(desk.settings, desk.engine)) as client:
        assert client.get("/").text == "<h1>Our own Harbour Brief</h1>"


def test_links_work_with_the_path_of_the_public_address_and_without(desk: Desk) -> None:
    file = desk.settings.path("newsletter.toml")
    file.write_text(file.read_text().replace("https://news.harbour.example", "https://harbour.example/news/"))
    moved = load(desk.settings.folder, {})
    with TestClient(create(moved, desk.engine)) as client:
        path = desk.leave(desk.ana, desk.weekly)
        page = client.get(f"/news{path}").text
        assert "Leave The Weekly Tide?" in page
        local = set(re.findall(r'href="(/[^"]*)"', page))
        assert local
        assert all(link.startswith("/news/") and client.get(link).status_code == 200 for link in local)
        assert client.get(path).status_code == 200
        assert client.get(f"/newsletter{path}").status_code == 404
        assert client.post(f"/news{path}", data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert desk.states(desk.ana)["weekly"] == "unsubscribed"


def test_there_are_no_documents_of_an_interface(desk: Desk) -> None:
    assert {desk.client.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")} == {404}


def test_no_path_is_answered_with_a_redirect(desk: Desk) -> None:
    path = desk.leave(desk.ana, desk.weekly)
    assert desk.client.post(f"{path}/", data={"List-Unsubscribe": "One-Click"}).status_code == 404
    assert desk.states(desk.ana)["weekly"] == "confirmed"


def test_the_server_says_where_it_answers_and_ends_quietly_when_interrupted(desk: Desk) -> None:
    code = (
        "import sys, pathlib; from newsletter import settings; from newsletter.web import serve; "
        "serve.serve(settings.load(pathlib.Path(sys.argv[1]), {}), host='127.0.0.1', port=0)"
    )
    command = [sys.executable, "-c", code, str(desk.settings.folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        address = re.search(r"Harbour Brief answers on (http://127\.0\.0\.1:\d+)/", server.stderr.readline())
        assert address
        assert httpx2.get(f"{address[1]}/healthz").text == "ok\n"
        spoofed = {"X-Forwarded-For": "203.0.113.9"}
        httpx2.post(
            address[1] + desk.leave(desk.ana, desk.weekly), data={"List-Unsubscribe": "One-Click"}, headers=spoofed
        )
        server.send_signal(signal.SIGINT)
        assert (server.wait(timeout=20), server.stderr.read()) == (0, "")
    with db.reading(desk.engine) as session:
        assert session.execute(text("SELECT ip FROM consent WHERE event = 'withdrawn'")).all() == [("127.0.0.1",)]


@pytest.mark.parametrize(("trusted", "kept"), [("127.0.0.1", "203.0.113.9"), ("192.0.2.0/24", "127.0.0.1")])
def test_only_a_proxy_that_is_named_is_believed(desk: Desk, trusted: str, kept: str) -> None:
    file = desk.settings.folder / "newsletter.toml"
    file.write_text(f'{file.read_text("utf-8")}\n[web]\ntrusted_proxies = ["{trusted}"]\n', "utf-8")
    headers = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}  # whoever sent the first of them, no proxy of ours saw
    with served(load(desk.settings.folder, {}), desk.engine) as address:
        path = desk.leave(desk.ana, desk.weekly)
        httpx2.post(address + path, data={"List-Unsubscribe": "One-Click"}, headers=headers)
    with db.reading(desk.engine) as session:
        assert session.execute(text("SELECT ip FROM consent WHERE event = 'withdrawn'")).all() == [(kept,)]


def test_a_taken_port_is_named_with_the_next_step(settings: Settings, engine: Engine) -> None:
    with serve.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match=f"port {port} on 127.0.0.1 cannot be taken .* newsletter serve --port N"):
            serve.serve(settings, host="127.0.0.1", port=port)
