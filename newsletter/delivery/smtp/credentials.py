"""What the desk logs in with at a relay."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.delivery.smtp.trouble import unusable
from newsletter.errors import SettingsError
from newsletter.settings import Settings
from newsletter.transport import Relay

#: Seconds that the program which prints a token may take.
TOKEN_WITHIN = 60.0


@dataclass(frozen=True)
class Credentials:
    """A name and how to prove it; without a name the desk does not log in."""

    username: str = ""
    password: str = field(default="", repr=False)
    #: prints an access token
    token_command: tuple[str, ...] = ()
    #: where that program runs
    folder: Path | None = None


def credentials(settings: Settings, relay: Relay) -> Credentials:
    """Return what the settings say, the password out of its file where they name one."""
    password = relay.password
    if relay.password_file:
        path = settings.path(relay.password_file)
        try:
            password = path.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"the password file of relay {relay.name}, {path}, cannot be read: {error}") from error
    return Credentials(relay.username, password, relay.token_command, settings.folder)


async def token(relay: Relay, credentials: Credentials) -> str:
    """Return a fresh access token, or raise RelayError."""
    program, *arguments = credentials.token_command
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=credentials.folder,
        )
    except OSError as error:
        raise unusable(relay, f"needs a token, and token_command, {program}, does not run: {error.strerror}") from error
    try:
        async with asyncio.timeout(TOKEN_WITHIN):
            printed, complaint = await process.communicate()
    except TimeoutError as error:
        raise unusable(
            relay, f"needs a token, and token_command, {program}, prints none within {TOKEN_WITHIN:g} s", temporary=True
        ) from error
    finally:
        if process.returncode is None:
            process.kill()
    made = printed.decode("utf-8", "replace").strip()
    if process.returncode or not made:
        last = complaint.decode("utf-8", "replace").strip().rpartition("\n")[2] or "it printed nothing"
        reason = f"needs a token, and token_command, {program}, ended with {process.returncode}: {last}"
        raise unusable(relay, reason, temporary=True)
    return made
