"""A relay that speaks SMTP (RFC 5321): one connection, one message at a time."""

import ipaddress
import smtplib
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from socket import IPPROTO_TCP, TCP_NODELAY

from newsletter.delivery.message import Envelope
from newsletter.delivery.relay import Watch
from newsletter.delivery.replies import Fault, Kind, Moment, Outcome, lost, read
from newsletter.errors import RelayError, SettingsError
from newsletter.settings import FILE, Settings
from newsletter.transport import Relay as RelaySettings
from newsletter.transport import Tls
from subscribers import addresses

#: After so many connections in a row that ended early, the relay is left alone.
PATIENCE = 3


@dataclass(frozen=True)
class Timeouts:
    """Seconds to wait for the relay; the least that RFC 5321 4.5.3.2 asks for, but for a connection."""

    connect: float = 30
    command: float = 300
    #: giving up early on the reply to the final dot makes duplicates (RFC 5321 4.5.3.2.6)
    done: float = 600


class _HungUp(Exception):
    """The connection ended before the message's text began; `outcome` is what the message is due if that was all."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reply)
        self.outcome = outcome


def relay(settings: Settings) -> "SmtpRelay":
    """Return the publication's first relay, not yet connected."""
    if not settings.relay:
        raise SettingsError(
            f"a send needs a relay, and {settings.path(FILE)} has none; add a [[relay]] table with name, host, port "
            "and tls"
        )
    chosen = settings.relay[0]
    password = chosen.password
    if chosen.password_file:
        path = settings.path(chosen.password_file)
        try:
            password = path.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"the password file of relay {chosen.name}, {path}, cannot be read: {error}") from error
    name = addresses.domain(settings.sender.domain) if settings.sender.domain else "localhost"
    return SmtpRelay(chosen, password=password, name=name)


class SmtpRelay:
    """A relay behind one SMTP connection, which is opened when the first message needs it."""

    def __init__(
        self,
        settings: RelaySettings,
        *,
        password: str = "",
        name: str = "localhost",
        trust: ssl.SSLContext | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.settings = settings
        self._password = password
        self._name = name
        self._trust = trust
        self._timeouts = timeouts or Timeouts()
        self._open: smtplib.SMTP | None = None
        self._broken = 0

    def __str__(self) -> str:
        """Return the relay's name and where it listens."""
        return f"relay {self.settings.name} at {self.settings.host}:{self.settings.port}"

    def send(self, envelopes: Iterable[Envelope], watch: Watch) -> Iterator[tuple[Envelope, Outcome]]:
        """Send the messages in order and yield what became of each."""
        for envelope in envelopes:
            outcome = self._attempt(envelope, watch)
            if outcome:
                yield envelope, outcome

    def connect(self) -> None:
        """Make sure that the relay can be used, or raise RelayError."""
        self._connection()

    def close(self) -> None:
        """Take leave, if the connection still stands."""
        connection, self._open = self._open, None
        if connection:
            try:
                _wait(connection, 5)
                connection.quit()
            except (smtplib.SMTPException, OSError):
                connection.close()

    def _attempt(self, envelope: Envelope, watch: Watch) -> Outcome | None:
        while True:
            used = self._open is not None
            connection = self._connection()
            if not watch.wanted(envelope):
                return None
            try:
                outcome = self._transact(connection, envelope, watch)
            except _HungUp as hung_up:
                self._drop()
                if used:  # servers end a connection after so many messages, or after some rest: that is no refusal
                    continue
                outcome = hung_up.outcome
            except BaseException:  # half a transaction stands on this connection
                self._drop()
                raise
            self._broken = 0 if self._open else self._broken + 1
            return outcome

    def _transact(self, connection: smtplib.SMTP, envelope: Envelope, watch: Watch) -> Outcome:
        international = envelope.smtputf8
        if international and not connection.has_extn("smtputf8"):
            return Outcome(Kind.FAILED, 0, f"{self} does not offer SMTPUTF8 (RFC 6531)", Fault.UNSUPPORTED_ADDRESS)
        connection.command_encoding = "utf-8" if international else "ascii"
        options = " SMTPUTF8" + " BODY=8BITMIME" * connection.has_extn("8bitmime") if international else ""
        steps = (
            (Moment.MAIL, f"MAIL FROM:<{envelope.sender}>{options}"),
            (Moment.RCPT, f"RCPT TO:<{envelope.recipient}>"),
        )
        for moment, command in steps:
            code, text = self._command(connection, command)
            if code // 100 != 2:
                return self._refused(connection, moment, code, text)
        code, text = self._command(connection, "DATA")
        if code != 354:
            return self._refused(connection, Moment.TEXT, code, text)
        watch.began(envelope)
        return self._text(connection, envelope)

    def _text(self, connection: smtplib.SMTP, envelope: Envelope) -> Outcome:
        _wait(connection, self._timeouts.done)
        try:
            connection.send(stuffed(envelope.message))
        except smtplib.SMTPServerDisconnected:  # the last bytes, and so the final dot, never left
            self._drop()
            return lost(f"{self} hung up during the message text", after_dot=False)
        try:
            code, text = _reply(connection.getreply())
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            return lost(f"{self} gave no reply to the final dot: {error}", after_dot=True)
        if code == -1:
            self._drop()
            return lost(f"{self} replied to the final dot with what is no reply: {text}", after_dot=True)
        _wait(connection, self._timeouts.command)
        if code == 421:
            self._drop()
        return read(Moment.TEXT, code, text)

    def _command(self, connection: smtplib.SMTP, command: str) -> tuple[int, str]:
        try:
            code, text = _reply(connection.docmd(command))
        except (smtplib.SMTPException, OSError) as error:
            raise _HungUp(lost(f"{self} hung up: {error}", after_dot=False)) from error
        if code == -1:
            raise _HungUp(lost(f"{self} said what is no SMTP reply: {text}", after_dot=False))
        if code == 421:  # the server is about to close the connection (RFC 5321 3.8)
            raise _HungUp(Outcome(Kind.DEFERRED, code, text, Fault.TRANSIENT))
        return code, text

    def _refused(self, connection: smtplib.SMTP, moment: Moment, code: int, text: str) -> Outcome:
        try:
            self._command(connection, "RSET")
        except _HungUp:
            self._drop()
        return read(moment, code, text)

    def _drop(self) -> None:
        connection, self._open = self._open, None
        if connection:
            connection.close()

    def _connection(self) -> smtplib.SMTP:
        if self._open is None:
            if self._broken >= PATIENCE:
                self._broken = 0
                raise self._unusable(f"hung up {PATIENCE} times in a row", temporary=True)
            self._open = self._connect()
        return self._open

    def _connect(self) -> smtplib.SMTP:
        connection = None
        try:
            connection = self._greet()
            self._login(connection)
        except BaseException as error:
            if connection:
                connection.close()
            raise self._explained(error) if isinstance(error, OSError) else error from error
        _wait(connection, self._timeouts.command)
        assert connection.sock is not None
        connection.sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        return connection

    def _greet(self) -> smtplib.SMTP:
        where = (self.settings.host, self.settings.port, self._name)
        if self.settings.tls is Tls.IMPLICIT:
            secure = smtplib.SMTP_SSL(*where, timeout=self._timeouts.connect, context=self._context())
            secure.ehlo_or_helo_if_needed()
            return secure
        connection = smtplib.SMTP(*where, timeout=self._timeouts.connect)
        try:
            connection.ehlo_or_helo_if_needed()
            if self._starts_tls(connection):
                connection.starttls(context=self._context())
                connection.ehlo()  # what was said in the clear counts no more (RFC 3207 4.2)
        except BaseException:
            connection.close()
            raise
        return connection

    def _starts_tls(self, connection: smtplib.SMTP) -> bool:
        offered = connection.has_extn("starttls")
        if self.settings.tls is Tls.REQUIRE and not offered:
            raise self._unusable(
                'does not offer STARTTLS, and tls = "require" sends nothing without it; name its TLS port with '
                'tls = "implicit", or say tls = "none" for a network that you trust'
            )
        return offered and self.settings.tls is not Tls.NONE

    def _context(self) -> ssl.SSLContext:
        if self.settings.tls is Tls.OPPORTUNISTIC:  # RFC 7435: better than nothing, and checked against nothing
            anything = ssl.create_default_context()
            anything.check_hostname = False
            anything.verify_mode = ssl.CERT_NONE
            return anything
        return self._trust or ssl.create_default_context()

    def _login(self, connection: smtplib.SMTP) -> None:
        if not self.settings.username:
            return
        if not isinstance(connection.sock, ssl.SSLSocket) and not _loopback(self.settings.host):
            raise self._unusable('is not behind TLS, and a password never goes in the clear; set tls = "require"')
        try:
            connection.login(self.settings.username, self._password)
        except UnicodeEncodeError as error:
            raise self._unusable("takes user names and passwords in ASCII only; change them") from error
        except smtplib.SMTPResponseException as error:
            code, text = _reply((error.smtp_code, error.smtp_error))
            raise self._unusable(f"refused the user name or password: {code} {text}", temporary=code < 500) from error
        except smtplib.SMTPNotSupportedError as error:
            raise self._unusable(
                "offers no AUTH; take username out of [[relay]], or use its submission port"
            ) from error
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPException as error:
            raise self._unusable(f"offers no way to log in that this program knows: {error}") from error

    def _explained(self, error: OSError) -> RelayError:
        if isinstance(error, ssl.SSLCertVerificationError):
            return self._unusable(f"shows a certificate that cannot be trusted: {error.verify_message}")
        if isinstance(error, smtplib.SMTPResponseException):
            code, text = _reply((error.smtp_code, error.smtp_error))
            return self._unusable(f"will not talk to us: {code} {text}", temporary=code < 500)
        return self._unusable(f"cannot be reached: {error.strerror or error}", temporary=True)

    def _unusable(self, reason: str, *, temporary: bool = False) -> RelayError:
        return RelayError(
            f"{self} {reason}. Correct [[relay]] in {FILE} if it is wrong (newsletter doctor tries it), then run the "
            "same command again",
            temporary=temporary,
        )


def stuffed(message: bytes) -> bytes:
    """Return the message as DATA carries it: dots at line starts doubled, the final dot added (RFC 5321 4.5.2)."""
    text = message.replace(b"\r\n.", b"\r\n..")
    first = b"." if text.startswith(b".") else b""
    end = b".\r\n" if text.endswith(b"\r\n") else b"\r\n.\r\n"
    return first + text + end


def _reply(reply: tuple[int, bytes | str]) -> tuple[int, str]:
    code, text = reply
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return code, words.strip()


def _wait(connection: smtplib.SMTP, seconds: float) -> None:
    if connection.sock:
        connection.sock.settimeout(seconds)


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
