"""The keys that sign mail: made, read, and as DNS publishes their public halves (RFC 6376 3.6.1, RFC 8463 4)."""

import hashlib
import os
from base64 import b64encode
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from newsletter.errors import Refused, SettingsError
from newsletter.settings import Settings
from subscribers import addresses

#: Shorter RSA keys prove nothing to anybody (RFC 8301 3.2); what providers ask for; what verifiers must take at most.
LEAST, ADVISED, MOST = 1024, 2048, 4096
#: A character string of a TXT record is no longer (RFC 1035 3.3.14).
_STRING = 255
_PADDING, _HASH = PKCS1v15(), SHA256()
_HASHED = Prehashed(_HASH)

Key = RSAPrivateKey | Ed25519PrivateKey


@dataclass(frozen=True, kw_only=True)
class Record:
    """What has to stand in DNS for a key, as the TXT record called `name`; its `strings` are one text, in parts."""

    name: str
    value: str
    strings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """A private key, with the name under which its public half stands in DNS."""

    domain: str
    selector: str
    private: Key

    @property
    def algorithm(self) -> str:
        """Return what a signature calls it."""
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    @property
    def bits(self) -> int:
        """Return how long it is."""
        return self.private.key_size if isinstance(self.private, RSAPrivateKey) else 256

    @property
    def length(self) -> int:
        """Return how many bytes its signatures have."""
        return (self.bits + 7) // 8 if isinstance(self.private, RSAPrivateKey) else 64  # RFC 8032 5.1.6

    def sign(self, digest: bytes) -> bytes:
        """Return the signature of what has this SHA-256; the same always has the same."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(digest, _PADDING, _HASHED)
        return self.private.sign(digest)  # RFC 8463 3: what is signed is the hash

    def prove(self) -> None:
        """Sign something and verify it by the public half; refuse a key whose halves do not fit."""
        public, digest = self.private.public_key(), hashlib.sha256(b"proof").digest()
        try:
            if isinstance(public, RSAPublicKey):
                public.verify(self.sign(digest), b"proof", _PADDING, _HASH)
            else:
                public.verify(self.sign(digest), digest)
        except (InvalidSignature, ValueError) as error:
            raise SettingsError(f"the key of {self.selector} does not sign; restore its file from a backup") from error

    @cached_property
    def record(self) -> Record:
        """Return its record in DNS."""
        public = self.private.public_key()
        if isinstance(public, RSAPublicKey):
            kind, octets = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            kind, octets = "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        value = f"v=DKIM1; k={kind}; p={b64encode(octets).decode()}"
        strings = tuple(value[start : start + _STRING] for start in range(0, len(value), _STRING))
        return Record(name=f"{self.selector}._domainkey.{self.domain}", value=value, strings=strings)


def of(settings: Settings) -> tuple[SigningKey, ...]:
    """Return the keys that sign this publication's mail, none where `[dkim]` is not set; refuse one that is unsound."""
    dkim = settings.dkim
    if dkim is None:
        return ()
    found = [SigningKey(domain=dkim.domain, selector=dkim.selector, private=_rsa(settings.path(dkim.key)))]
    if dkim.ed25519_key:
        second = _ed25519(settings.path(dkim.ed25519_key))
        found.append(SigningKey(domain=dkim.domain, selector=dkim.ed25519_selector, private=second))
    return tuple(found)


def create(path: Path, *, domain: str, selector: str, ed25519: bool = False, bits: int = ADVISED) -> SigningKey:
    """Write a fresh key into a new file that only its owner can read, and return it."""
    private: Key = Ed25519PrivateKey.generate() if ed25519 else rsa.generate_private_key(65537, bits)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    except OSError as error:
        if path.exists():
            raise Refused(
                f"{path} is there already, and mail may be signed with it; make a new key beside it, under another "
                "name: --selector NAME"
            ) from error
        raise Refused(f"{path} cannot be written: {error.strerror}; mend the folder's rights") from error
    return SigningKey(domain=domain, selector=selector, private=private)


def aligned(domain: str, sender: str) -> bool:
    """Return whether a signature for a domain can speak for mail from another: one of them lies within the other.

    DMARC asks for one organisation's domain (RFC 7489 3.1.1), which nobody can tell from a name alone.
    """
    one, other = f".{domain}", f".{addresses.domain(sender)}"
    return one.endswith(other) or other.endswith(one)


def _rsa(path: Path) -> RSAPrivateKey:
    key = _read(path)
    if not isinstance(key, RSAPrivateKey):
        raise SettingsError(
            f"{path} holds no RSA key, and many who get mail know no other; make one: newsletter dkim keygen. "
            "An Ed25519 key goes beside it, as ed25519_key"
        )
    if key.key_size < LEAST:
        raise SettingsError(
            f"{path} holds a key of {key.key_size} bits, which proves nothing (RFC 8301 3.2); make one of {ADVISED}: "
            "newsletter dkim keygen --selector NAME"
        )
    return key


def _ed25519(path: Path) -> Ed25519PrivateKey:
    key = _read(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"{path} holds no Ed25519 key; make one: newsletter dkim keygen --ed25519")
    return key


def _read(path: Path) -> object:
    try:
        if path.stat().st_mode & 0o007:
            raise SettingsError(f"{path} is open to everybody on this machine; close it: chmod 600 {path}")
        return load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError as error:
        raise SettingsError(
            f"{path} is missing; restore it from a backup, or make a new key: newsletter dkim keygen --selector NAME"
        ) from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}; mend its rights") from error
    except TypeError as error:
        raise SettingsError(f"{path} is locked with a password; save it without: openssl pkey -in {path}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        # What the library says may hold parts of the file, which is a secret.
        raise SettingsError(
            f"{path} holds no private key in PEM (it begins with -----BEGIN PRIVATE KEY-----); restore it from a "
            "backup, or make a new key: newsletter dkim keygen --selector NAME"
        ) from error
