"""How long a relay may take for each step."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timeouts:
    """Seconds to wait for the relay; the least that RFC 5321 4.5.3.2 asks for, but for a connection."""

    connect: float = 30
    greeting: float = 300
    #: the reply to EHLO, STARTTLS, AUTH, MAIL, RCPT and RSET
    command: float = 300
    #: the reply to DATA
    data: float = 120
    #: the text, as long as none of it moves
    text: float = 180
    #: giving up early on the reply to the final dot makes duplicates (RFC 5321 4.5.3.2.6)
    done: float = 600
    #: the reply to QUIT, which no mail depends on
    leave: float = 5
    #: the end of the connection after a 421, where texts are under way that the server did not reply to
    over: float = 1

    @property
    def pulse(self) -> float:
        """Return how often to look at the clock, so that none of these is missed by much."""
        return min(1.0, min(self.greeting, self.command, self.data, self.text, self.done) / 4)


DEFAULT = Timeouts()
