"""Posting to a receiver: one request, to the very address that was judged, and nothing of the answer but its status."""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from socket import gaierror

import httpcore2

from newsletter import __version__, network
from newsletter.network import Unsafe

#: Seconds to connect, for each read, for everything.
CONNECT, READ, WALL = 5.0, 10.0, 15.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The status that a receiver answered, 0 where it answered none; `said` is that in words."""

    status: int
    said: str

    @property
    def taken(self) -> bool:
        """Return whether the receiver has it. A redirect is no such answer, and is not followed."""
        return 200 <= self.status < 300


def post(url: str, body: bytes, *, headers: Mapping[str, str], private: bool) -> Answer:
    """Post JSON and return what was answered; `private` receivers may stand inside the house."""
    backend = network.Backend((lambda _address: True) if private else network.public, time.monotonic() + WALL)
    told = {
        "User-Agent": f"newsletter-desk/{__version__}", "Content-Type": "application/json",
        "Content-Length": str(len(body)), "Connection": "close", **headers,
    }  # fmt: skip
    sent = [(name.encode(), value.encode("ascii")) for name, value in told.items()]
    times = {"timeout": {"connect": CONNECT, "read": READ, "write": READ, "pool": CONNECT}}
    context = ssl.create_default_context()
    try:
        with httpcore2.ConnectionPool(ssl_context=context, network_backend=backend, max_connections=1) as pool:
            with pool.stream("POST", url, headers=sent, content=body, extensions=times) as response:
                return Answer(status=response.status, said=f"HTTP {response.status}")
    except Unsafe as error:
        return Answer(status=0, said=f"{error}; where that is meant: private = true in its [[webhook]]")
    except (httpcore2.TimeoutException, TimeoutError):
        return Answer(status=0, said="it does not answer in time")
    except gaierror as error:
        return Answer(status=0, said=f"its name is not known ({error.strerror})")
    except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError, ValueError) as error:
        return Answer(status=0, said=f"no answer: {error}"[:300])
