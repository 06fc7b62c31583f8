"""The fetcher against a publisher who does everything wrong: it gets what is good, or says why it gets nothing."""

import gzip
import os
import socket
import ssl
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from newsletter import fetching
from newsletter.fetching import Cause, Client, NoAnswer
from tests.discovery.publisher import Publisher, Reply

CERTIFICATE = Path(__file__).parents[1] / "support" / "localhost.pem"


def refused(client: Client, url: str) -> NoAnswer:
    with pytest.raises(NoAnswer) as caught:
        client.get(url)
    return caught.value


def test_an_answer_has_its_status_headers_and_body(publisher: Publisher, client: Client) -> None:
    publisher.replies["/feed?a=b%20c"] = Reply(b"words", headers={"ETag": 'W/"x y"'})
    answer = client.get(f"{publisher.url}/feed?a=b c", headers={"If-None-Match": '"old"'})
    assert (answer.status, answer.body, answer.headers["etag"], answer.moved_to) == (200, b"words", 'W/"x y"', "")
    _, headers, _ = publisher.asked[0]
    assert headers["if-none-match"] == '"old"'
    assert headers["user-agent"].startswith("newsletter-desk/")
    assert "cookie" not in headers


def test_a_packed_answer_is_unpacked(publisher: Publisher, client: Client) -> None:
    publisher.replies["/"] = Reply(gzip.compress(b"words" * 1000), headers={"Content-Encoding": "gzip"})
    assert client.get(publisher.url).body == b"words" * 1000


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(publisher: Publisher, client: Client) -> None:
    bomb = gzip.compress(b"\0" * (200 << 20), 9)
    publisher.replies["/"] = Reply(bomb, headers={"Content-Encoding": "gzip"})
    tracemalloc.start()
    try:
        assert refused(client, publisher.url).cause is Cause.SIZE
        assert tracemalloc.get_traced_memory()[1] < 3 * fetching.UNPACKED
    finally:
        tracemalloc.stop()


def test_an_answer_that_is_too_large_is_refused(publisher: Publisher, client: Client) -> None:
    publisher.replies["/"] = Reply(os.urandom(fetching.WIRE + 1))
    error = refused(client, publisher.url)
    assert (error.cause, "larger than 2 MiB" in str(error)) == (Cause.SIZE, True)


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_a_packing_that_is_unknown_or_broken_is_refused(publisher: Publisher, client: Client, coding: str) -> None:
    publisher.replies["/"] = Reply(b"no such packing", headers={"Content-Encoding": coding})
    assert refused(client, publisher.url).cause is Cause.PROTOCOL


def test_a_packed_answer_that_is_cut_off_is_refused(publisher: Publisher, client: Client) -> None:
    publisher.replies["/"] = Reply(gzip.compress(os.urandom(2000))[:-9], headers={"Content-Encoding": "gzip"})
    assert refused(client, publisher.url).cause is Cause.PROTOCOL


def test_a_server_that_drips_is_left_when_the_time_is_over(publisher: Publisher, client: Client) -> None:
    publisher.replies["/"] = Reply(b"x" * 500, drip=0.02)
    client.wall = 0.5
    begun = time.monotonic()
    assert refused(client, publisher.url).cause is Cause.TIME
    assert time.monotonic() - begun < 1.0


def test_what_is_not_http_is_refused(publisher: Publisher, client: Client) -> None:
    publisher.replies["/"] = Reply(raw=b"220 mail.example.com ESMTP\r\n")
    assert refused(client, publisher.url).cause is Cause.PROTOCOL


def test_nobody_listens(publisher: Publisher, client: Client) -> None:
    assert refused(client, "http://127.0.0.1:1/").cause is Cause.CONNECTION


def test_a_name_that_nobody_knows(client: Client) -> None:
    assert refused(client, "https://feeds.invalid/").cause is Cause.NAME


def test_a_redirect_is_followed_and_a_permanent_one_is_told(publisher: Publisher, client: Client) -> None:
    publisher.replies |= {
        "/old": Reply(status=301, headers={"Location": "/older"}),
        "/older": Reply(status=308, headers={"Location": f"{publisher.url}/new"}),
        "/new": Reply(status=302, headers={"Location": "/today"}),
        "/today": Reply(b"words"),
    }
    answer = client.get(f"{publisher.url}/old")
    assert (answer.body, answer.url) == (b"words", f"{publisher.url}/today")
    assert answer.moved_to == f"{publisher.url}/new"
    assert client.get(f"{publisher.url}/new").moved_to == ""


def test_redirects_without_end_are_refused(publisher: Publisher, client: Client) -> None:
    publisher.replies["/"] = Reply(status=301, headers={"Location": "/"})
    assert "redirects more than 5 times" in str(refused(client, publisher.url))
    assert len(publisher.asked) == 6


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://localhost/",
        "http://10.0.0.8/", "http://169.254.169.254/latest/meta-data/", "http://100.64.0.1/", "http://[::1]/",
        "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[fd00::1]/",
        "http://0.0.0.0/", "http://224.0.0.1/", "ftp://example.com/", "file:///etc/passwd", "http://u:p@example.com/",
        "http://example.com:22/", "http://example.com:6379/",
    ],
)  # fmt: skip
def test_what_is_not_on_the_public_internet_is_never_asked(url: str) -> None:
    assert refused(Client(), url).cause is Cause.UNSAFE


@pytest.mark.parametrize("target", ["http://169.254.169.254/", "http://[::ffff:10.0.0.1]/", "file:///etc/passwd"])
def test_a_redirect_into_the_house_is_refused(publisher: Publisher, client: Client, target: str) -> None:
    publisher.replies["/"] = Reply(status=302, headers={"Location": target})
    assert refused(client, publisher.url).cause is Cause.UNSAFE


@pytest.mark.parametrize("target", ["http://[x/", "http://127.0.0.1:99999/", "//["])
def test_a_redirect_to_what_is_no_address_is_refused(publisher: Publisher, client: Client, target: str) -> None:
    publisher.replies["/"] = Reply(status=301, headers={"Location": target})
    assert refused(client, publisher.url).cause in (Cause.PROTOCOL, Cause.UNSAFE)


@pytest.mark.parametrize("url", ["http://[x/", "http://127.0.0.1:99999/", "http://a..b/", "", "//x"])
def test_what_is_no_address_is_refused(client: Client, url: str) -> None:
    assert refused(client, url).cause in (Cause.PROTOCOL, Cause.UNSAFE)


def test_a_page_is_looked_at_by_head_without_its_body(publisher: Publisher, client: Client) -> None:
    publisher.replies |= {"/old": Reply(status=302, headers={"Location": "/page"}), "/page": Reply(b"words")}
    answer = client.look(f"{publisher.url}/old")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "5")
    assert answer.redirects == (f"{publisher.url}/page",)


def test_the_connection_goes_to_the_address_that_was_judged(
    publisher: Publisher, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []
    lookups = iter([[(2, 1, 6, "", ("127.0.0.1", 0))], [(2, 1, 6, "", ("127.0.0.2", 0))]])

    def look_up(host: str, *more: Any, **named: Any) -> Any:
        return next(lookups) if host == "rebinding.example" else real(host, *more, **named)

    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    publisher.replies["/"] = Reply(b"words")
    client.allowed = lambda address: judged.append(address) or True  # type: ignore[func-returns-value]
    assert client.get(f"http://rebinding.example:{publisher.server_port}/").body == b"words"
    assert judged == ["127.0.0.1"]
    assert publisher.asked[0][1]["host"] == f"rebinding.example:{publisher.server_port}"


def test_a_certificate_must_hold_and_https_stays_https(publisher: Publisher, client: Client) -> None:
    secret = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secret.load_cert_chain(CERTIFICATE)
    publisher.socket = secret.wrap_socket(publisher.socket, server_side=True)
    url = f"https://localhost:{publisher.server_port}/"
    publisher.replies |= {"/": Reply(b"words"), "/down": Reply(status=302, headers={"Location": "http://localhost/"})}
    assert refused(client, url).cause is Cause.CERTIFICATE
    client.context = ssl.create_default_context(cafile=str(CERTIFICATE))
    client.allowed = lambda address: address in ("127.0.0.1", "::1")
    assert client.get(url).body == b"words"
    assert refused(client, f"{url}down").cause is Cause.UNSAFE
