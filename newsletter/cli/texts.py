"""Texts that an option names the file of."""

from pathlib import Path

from newsletter.errors import BadInput


def read(path: Path, option: str) -> str:
    """Return what stands in a text file, or refuse one that cannot be read."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{option} {path} cannot be read: {error}; name a text file in UTF-8") from error
