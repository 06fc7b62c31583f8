"""What newsletter.toml may say, and how a wrong one is told."""

from pathlib import Path

import pytest

from newsletter.errors import BadInput, NotFound, SettingsError
from newsletter.settings import find, load
from newsletter.transport import Tls

WHOLE = """\
[publication]
name = "Harbour Brief"
public_url = "https://news.harbour.example/letters/"
[sender]
from = "Harbour Brief <desk@news.harbour.example>"
[[relay]]
name = "main"
host = "smtp.harbour.example"
password = "in the file"
"""


def write(folder: Path, text: str) -> Path:
    (folder / "newsletter.toml").write_text(text, "utf-8")
    return folder


def test_the_file_is_found_from_any_folder_inside_the_publication(tmp_path: Path) -> None:
    inner = write(tmp_path, WHOLE) / "briefings" / "old"
    inner.mkdir(parents=True)
    assert find(inner) == tmp_path


def test_where_there_is_no_publication_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="newsletter init DIR"):
        find(tmp_path)


def test_a_whole_file_gives_typed_values_and_defaults(tmp_path: Path) -> None:
    settings = load(write(tmp_path, WHOLE), {})
    assert settings.publication.url == "https://news.harbour.example/letters"
    assert settings.sender.domain == "news.harbour.example"
    assert settings.relay[0].tls is Tls.REQUIRE
    assert settings.path("keys/links.key") == tmp_path / "keys" / "links.key"


def test_the_environment_goes_before_the_file_and_secrets_may_lie_in_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from a file\n")
    environ = {
        "NEWSLETTER_DATABASE_URL": "postgresql+psycopg://desk@db/desk",
        "NEWSLETTER_SENDER_FROM": "Other <other@harbour.example>",
        "NEWSLETTER_RELAY_MAIN_PASSWORD_FILE": str(secret),
    }
    settings = load(write(tmp_path, WHOLE), environ)
    assert settings.database.url == "postgresql+psycopg://desk@db/desk"
    assert settings.sender.address == "other@harbour.example"
    assert settings.relay[0].password == "from a file"


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("[publication]\nname = nothing\n", BadInput, "is no TOML.*line 2"),
        (
            "[web]\n[dkim]\n[dkim]\n",
            BadInput,
            r"no TOML: \[dkim\] stands there already.*at line 3.*under the first one",
        ),
        ("", SettingsError, "publication is missing"),
        ('[publication]\nname = "x"\ntheem = "y"', SettingsError, "theem is no setting; did you mean theme"),
        ('[publication]\nname = "x"\npublic_url = "news.example.com"', SettingsError, "publication.public_url"),
        ('[publication]\nname = "x"\n[sender]\nfrom = "a@b.example\\nBcc: c@d.example"', SettingsError, "one line"),
        ('[publication]\nname = "x"\n[sender]\nfrom = "nobody"', SettingsError, "from must hold an address"),
        ('[publication]\nname = "x"\n[sender]\nfrom = "a@b.example, c@d.example"', SettingsError, "from must hold"),
        ('[publication]\nname = "x"\n[sender]\nreply_to = "not an address"', SettingsError, "reply_to must hold"),
        (
            '[publication]\nname = "x"\n[sender]\nbounce_domain = "a b> SIZE=1"',
            SettingsError,
            "bounce_domain must hold",
        ),
        ('[publication]\nname = "x\\ny"', SettingsError, "publication.name must be one line"),
        ('[publication]\nname = "x"\npublic_url = "https://[::1"', SettingsError, "no web address"),
        ('[publication]\nname = "x"\npublic_url = "https://a.example/\\">"', SettingsError, "no web address"),
        (WHOLE + "tls = 'maybe'", SettingsError, r": \[\[relay\]\] main: tls: .*'require'.*, not 'maybe'"),
        (WHOLE + "[[relay]]\nhost = 'b'", SettingsError, r": the second \[\[relay\]\]: name is missing; add it"),
        (WHOLE + "[[relay]]\nname = 'b'", SettingsError, r": \[\[relay\]\] b: host is missing; add it"),
        (WHOLE + "[relay.domains.'a.example']\nrat = 1", SettingsError, r"main: domains.a.example.rat is no setting"),
        (WHOLE + '[relay.domains."no domain"]\nrate = 1', SettingsError, "name a domain that readers have"),
        (WHOLE + '[[relay]]\nname = "main"\nhost = "b"', SettingsError, "one name"),
    ],
)
def test_a_wrong_file_is_refused_with_the_key_and_the_reason(
    tmp_path: Path, text: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=f"newsletter.toml.*{words}"):
        load(write(tmp_path, text), {})


def test_a_missing_value_names_its_key_and_who_needs_it(tmp_path: Path) -> None:
    settings = load(write(tmp_path, WHOLE), {})
    assert settings.require("sender.from", "a send") == "Harbour Brief <desk@news.harbour.example>"
    with pytest.raises(SettingsError, match=r"a send needs postal_address in \[publication\]"):
        settings.require("publication.postal_address", "a send")
