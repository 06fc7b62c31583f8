"""The keys that sign: made, read back, published, and refused where they are no good."""

import base64
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)
from pydantic import ValidationError

from newsletter.delivery import keys
from newsletter.errors import Refused, SettingsError
from newsletter.settings import Settings
from newsletter.transport import Dkim
from tests.delivery.test_message import SETTINGS

DOMAIN = "news.harbour.example"
RSA = rsa.generate_private_key(65537, 1024)


def signing(key: Path, second: Path | None = None) -> Settings:
    more = {"ed25519_selector": "e1", "ed25519_key": str(second)} if second else {}
    return SETTINGS.model_copy(update={"dkim": Dkim(domain=DOMAIN, selector="s1", key=str(key), **more)})


def written(path: Path, data: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, lock: KeySerializationEncryption | None = None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock or NoEncryption())


def test_a_fresh_key_is_read_back_and_only_its_owner_can(tmp_path: Path) -> None:
    made = keys.create(tmp_path / "keys" / "s1.pem", domain=DOMAIN, selector="s1")
    second = keys.create(tmp_path / "keys" / "e1.pem", domain=DOMAIN, selector="e1", ed25519=True)
    assert stat.S_IMODE((tmp_path / "keys" / "s1.pem").stat().st_mode) == 0o600
    found = keys.of(signing(tmp_path / "keys" / "s1.pem", tmp_path / "keys" / "e1.pem"))
    assert [each.record for each in found] == [made.record, second.record]
    assert [(each.algorithm, each.bits) for each in found] == [("rsa-sha256", 2048), ("ed25519-sha256", 256)]
    assert keys.of(SETTINGS) == ()


def test_a_record_says_the_public_half_in_strings_that_dns_takes(tmp_path: Path) -> None:
    for bits in (2048, 4096):
        made = keys.create(tmp_path / f"{bits}.pem", domain=DOMAIN, selector="s1", bits=bits)
        record = made.record
        assert record.name == "s1._domainkey.news.harbour.example"
        assert "".join(record.strings) == record.value
        assert max(map(len, record.strings)) <= 255
        kind, _, public = record.value.partition("; p=")
        assert kind == "v=DKIM1; k=rsa"
        assert load_der_public_key(base64.b64decode(public, validate=True)) == made.private.public_key()
    second = keys.create(tmp_path / "e1.pem", domain=DOMAIN, selector="e1", ed25519=True)
    assert second.record.value.startswith("v=DKIM1; k=ed25519; p=")
    assert len(base64.b64decode(second.record.value.partition("; p=")[2], validate=True)) == 32  # RFC 8463 4


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    keys.create(tmp_path / "s1.pem", domain=DOMAIN, selector="s1", ed25519=True)
    before = (tmp_path / "s1.pem").read_bytes()
    with pytest.raises(Refused, match="is there already.*--selector NAME"):
        keys.create(tmp_path / "s1.pem", domain=DOMAIN, selector="s1", ed25519=True)
    assert (tmp_path / "s1.pem").read_bytes() == before
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="cannot be written"):
        keys.create(tmp_path / "file" / "s1.pem", domain=DOMAIN, selector="s1", ed25519=True)


@pytest.mark.parametrize(
    ("data", "mode", "says"),
    [
        (b"", 0o600, "holds no private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n", 0o600, "holds no private key in PEM"),
        (pem(ec.generate_private_key(ec.SECP256R1())), 0o600, "holds no RSA key"),
        (pem(RSA, BestAvailableEncryption(b"x")), 0o600, "locked with a password"),
        (pem(RSA), 0o644, "open to everybody on this machine; close it: chmod 600"),
    ],
)
def test_what_is_no_good_as_a_key_is_refused_with_the_way_on(tmp_path: Path, data: bytes, mode: int, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as refusal:
        keys.of(signing(written(tmp_path / "s1.pem", data, mode)))
    assert "s1.pem" in str(refusal.value)
    assert "secret" not in str(refusal.value)


def short() -> rsa.RSAPrivateKey:
    """Return a key of two well-known primes: the library makes none so short any more."""
    p, q, e = 2**255 - 19, 2**251 - 9, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), rsa.RSAPublicNumbers(e, p * q)
    )
    return numbers.private_key()


def test_a_short_rsa_key_is_refused_and_a_group_may_read_a_good_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="a key of 506 bits, which proves nothing"):
        keys.of(signing(written(tmp_path / "short.pem", pem(short()))))
    assert keys.of(signing(written(tmp_path / "s1.pem", pem(RSA), 0o640)))[0].bits == 1024


def test_each_place_takes_its_own_kind(tmp_path: Path) -> None:
    one, other = written(tmp_path / "s1.pem", pem(RSA)), tmp_path / "e1.pem"
    keys.create(other, domain=DOMAIN, selector="e1", ed25519=True)
    with pytest.raises(SettingsError, match="holds no RSA key.*ed25519_key"):
        keys.of(signing(other))
    with pytest.raises(SettingsError, match="holds no Ed25519 key"):
        keys.of(signing(one, one))
    with pytest.raises(SettingsError, match="gone.pem is missing"):
        keys.of(signing(tmp_path / "gone.pem"))
    with pytest.raises(SettingsError, match="cannot be read"):
        keys.of(signing(tmp_path))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"domain": "a b"}, "no domain that mail can come from"),
        ({"domain": "x.example\r\nBcc: y"}, "no domain"),
        ({"selector": "s1; d=other"}, "no selector"),
        ({"selector": "-s1"}, "no selector"),
        ({"ed25519_selector": "e1"}, "go together"),
        ({"ed25519_selector": "S1", "ed25519_key": "k"}, "one name"),
    ],
)
def test_settings_that_no_signature_can_carry_are_refused(words: dict[str, str], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Dkim.model_validate({"domain": DOMAIN, "selector": "s1", "key": "k", **words})


def test_a_foreign_domain_is_signed_for_as_dns_has_it() -> None:
    assert Dkim(domain="Bücher.example", selector="2026.s1", key="k").domain == "xn--bcher-kva.example"
