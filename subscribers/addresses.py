"""Addresses: what mail can be sent to, and the key by which two spellings are one address."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, ValidatedEmail, validate_email

from subscribers.errors import BadAddress

#: A plain local part (RFC 5321 section 4.1.2, Dot-string): nearly all of them, and a tenth of the library's time.
_PLAIN = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
#: A plain domain (RFC 1123 section 2.1), no label of which may be an A-label or look like one (RFC 5890).
_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?=.*[a-z]$){_LABEL}")
#: A test environment is one where names under .test are good: they are reserved for that (RFC 6761 section 6.2).
_RESERVED = tuple(f".{name}" for name in SPECIAL_USE_DOMAIN_NAMES if name != "test")
_LOCAL, _DOMAIN, _WHOLE = 64, 253, 254  # RFC 5321 section 4.5.3.1; a path of 256 holds an address of 254


class Address(NamedTuple):
    """An address: `email` as given, `key` to compare by, `smtputf8` when its local part needs RFC 6531."""

    email: str
    key: str
    smtputf8: bool


def parse(text: str) -> Address:
    """Return the address that the text is, exactly and with nothing around it; raise BadAddress otherwise."""
    local, ascii_domain = _parts(text)
    if local.isascii():
        return Address(text, f"{local.lower()}@{ascii_domain}", False)
    return Address(text, f"{unicodedata.normalize('NFC', local.casefold())}@{ascii_domain}", True)


def on_the_wire(email: str) -> str:
    """Return the address as an envelope carries it, the domain in ASCII and the local part as given; or BadAddress."""
    _, ascii_domain = _parts(email)
    return f"{email.rpartition('@')[0]}@{ascii_domain}"


def _parts(text: str) -> tuple[str, str]:
    """Return the local part as it is compared but for case, and the domain in ASCII; raise BadAddress."""
    local, _, given = text.rpartition("@")
    try:
        if not _PLAIN.fullmatch(local):
            local = _validated(text).local_part
        ascii_domain = _domain(given)
        if len(local) > _LOCAL or len(local) + 1 + len(ascii_domain) > _WHOLE:
            _validated(text)  # refuses, and says by how much it is too long
    except EmailNotValidError as error:
        raise BadAddress(text, _reason(error)) from error
    return local, ascii_domain


def domain(text: str) -> str:
    """Return the domain in ASCII (A-labels, RFC 5891) and lower case; raise BadAddress when no mail can go there."""
    try:
        return _domain(text)
    except EmailNotValidError as error:
        raise BadAddress(text, _reason(error)) from error


@lru_cache(maxsize=20_000)
def _domain(text: str) -> str:
    plain = text.lower()
    if len(text) <= _DOMAIN and _PLAIN_DOMAIN.fullmatch(plain) and not f".{plain}".endswith(_RESERVED):
        return plain
    found = _validated(f"a@{text}").ascii_domain
    if "." not in found:  # the library lets the bare word `test` pass
        raise EmailNotValidError("The part after the @-sign should have a period.")
    return found


def _validated(text: str) -> ValidatedEmail:
    return validate_email(text, strict=True, check_deliverability=False, test_environment=True)


def _reason(error: EmailNotValidError) -> str:
    return f"no address that mail can be sent to: {str(error).rstrip('.')}"
