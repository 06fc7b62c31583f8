"""The safe fetcher, against real servers on loopback: only a test can let it go there."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest

from newsletter import network
from newsletter.rendering.fetching import Answer, Fetcher

CERTIFICATE = Path(__file__).parents[1] / "support" / "localhost.pem"


class Site(ThreadingHTTPServer):
    """A web server that remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.asked: list[tuple[str, str, float]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: some tests hang up on purpose."""


class Page(BaseHTTPRequestHandler):
    """Answers what its path says: /404, /to?URL, /slow, /no-head, /broken."""

    server: Site

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.server.asked.append((self.command, self.path, time.monotonic()))
        path, _, rest = self.path.partition("?")
        if path == "/slow":
            time.sleep(2)
        if path == "/broken":
            self.wfile.write(b"not http at all\r\n")
            return
        status = 302 if path == "/to" else 405 if path == "/no-head" and self.command == "HEAD" else 200
        self.send_response(int(path[1:]) if path[1:].isdigit() else status)
        if path == "/to":
            self.send_header("Location", rest)
        self.send_header("Content-Length", "1234567" if path == "/heavy" else "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    thread = threading.Thread(target=site.serve_forever, daemon=True)
    thread.start()
    yield site
    site.shutdown()
    site.server_close()
    thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as site:
        yield site


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher(timeout=1, allowed=lambda address: address.startswith("127."), pause=0)


@pytest.mark.parametrize(("path", "status", "dead"), [("/", 200, False), ("/404", 404, True), ("/410", 410, True),
                                                      ("/500", 500, True), ("/403", 403, False)])  # fmt: skip
def test_an_address_is_dead_when_a_reader_would_find_nothing(
    site: Site, fetcher: Fetcher, path: str, status: int, dead: bool
) -> None:
    answer = fetcher.ask(f"{site.url}{path}")
    assert (answer.status, answer.dead, answer.trouble) == (status, dead, "")


def test_a_page_is_asked_by_head_and_by_get_only_where_head_is_refused(site: Site, fetcher: Fetcher) -> None:
    assert fetcher.ask(f"{site.url}/a").status == 200
    assert fetcher.ask(f"{site.url}/no-head").status == 200
    assert [asked[:2] for asked in site.asked] == [("HEAD", "/a"), ("HEAD", "/no-head"), ("GET", "/no-head")]


def test_redirects_are_followed_and_told(site: Site, fetcher: Fetcher) -> None:
    answer = fetcher.ask(f"{site.url}/to?/to?/heavy")
    assert answer == Answer(answer.url, 200, size=1234567, redirects=(f"{site.url}/to?/heavy", f"{site.url}/heavy"))


def test_redirects_without_end_are_given_up(site: Site, fetcher: Fetcher) -> None:
    assert "redirects more than 5 times" in fetcher.ask(f"{site.url}/to?/to?/to?/to?/to?/to?/to?/to?/").trouble


@pytest.mark.parametrize(
    "target", ["http://10.0.0.1/", "file:///etc/passwd", "http://169.254.169.254/latest", "gopher://x/"]
)
def test_a_redirect_leads_nowhere_that_might_not_be_asked_first(site: Site, fetcher: Fetcher, target: str) -> None:
    answer = fetcher.ask(f"{site.url}/to?{target}")
    assert answer.dead
    assert "not on the public internet" in answer.trouble or "only http and https" in answer.trouble


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://10.1.2.3/", "http://192.168.1.1/", "http://0.0.0.0/",
     "http://169.254.169.254/", "http://[fe80::1]/", "http://[::ffff:127.0.0.1]/", "http://2130706433/", "http://0x7f.1/",
     "http://100.64.0.1/", "http://[fc00::1]/", "http://224.0.0.1/", "http://user@127.0.0.1/", "ftp://a.example/", "http:///x"],
)  # fmt: skip
def test_nothing_inside_the_house_is_asked(site: Site, url: str) -> None:
    fetcher = Fetcher(timeout=60)
    started = time.monotonic()
    answer = fetcher.ask(url)
    assert answer.trouble
    assert answer.status == 0
    assert time.monotonic() - started < 1  # refused, not tried
    assert site.asked == []


def test_the_shipped_fetcher_asks_no_server_of_this_machine(site: Site) -> None:
    assert "not on the public internet" in Fetcher().ask(site.url).trouble
    assert site.asked == []


@pytest.mark.parametrize(
    "address",
    ["64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:c0a8:101::", "::1", "fe80::1%eth0", "ff02::1",
     "::ffff:10.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.0.1"],
)  # fmt: skip
def test_an_address_that_leads_inside_by_another_name_is_not_public(address: str) -> None:
    assert not network.public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808"])
def test_the_public_internet_may_be_asked(address: str) -> None:
    assert network.public(address)


def test_who_does_not_answer_in_time_is_told(site: Site, fetcher: Fetcher) -> None:
    assert fetcher.ask(f"{site.url}/slow").trouble == "it does not answer in time"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://no-such-name.invalid/", "http://a..b/", "http://[x/",
                                 "http://" + "a" * 300 + "/", "http://127.0.0.1:99999/"])  # fmt: skip
def test_what_cannot_be_asked_has_a_reason_and_never_fails(fetcher: Fetcher, url: str) -> None:
    assert fetcher.ask(url).trouble


def test_what_is_no_http_has_a_reason(site: Site, fetcher: Fetcher) -> None:
    assert fetcher.ask(f"{site.url}/broken").dead


def test_several_hosts_are_asked_at_once_and_one_host_in_turn(fetcher: Fetcher) -> None:
    fetcher.pause = 0.3
    with serving(Site()) as one, serving(Site()) as other:
        urls = [f"{site.url}/{number}" for site in (one, other) for number in (200, 201, 203)]
        started = time.monotonic()
        answers = fetcher.ask_all([*urls, *urls])
        assert time.monotonic() - started < 5.5 * fetcher.pause  # six pauses would take longer
        assert [answers[url].status for url in urls] == [200, 201, 203] * 2
        for site in (one, other):
            moments = [moment for _, _, moment in site.asked]
            assert len(moments) == 3
            assert all(after - before >= fetcher.pause for before, after in pairwise(moments))
        first, last = zip(*((site.asked[0][2], site.asked[-1][2]) for site in (one, other)), strict=True)
        assert max(first) < min(last)


def test_a_certificate_is_checked_against_the_name(fetcher: Fetcher) -> None:
    site = Site()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(CERTIFICATE)
    site.socket = server.wrap_socket(site.socket, server_side=True)
    with serving(site):
        assert "certificate" in fetcher.ask(f"https://localhost:{site.server_port}/").trouble
        fetcher.context = ssl.create_default_context(cafile=str(CERTIFICATE))
        assert fetcher.ask(f"https://localhost:{site.server_port}/").status == 200
        down = fetcher.ask(f"https://localhost:{site.server_port}/to?http://localhost/")
        assert (down.dead, down.trouble) == (True, "it redirects from https to http://localhost/")
