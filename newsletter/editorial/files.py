"""The briefings' files: read with their errors named, and made so that a refused command leaves none behind."""

from pathlib import Path

from sqlalchemy import event
from sqlmodel import Session

from newsletter.editorial import format
from newsletter.editorial.names import BRIEFING
from newsletter.errors import BadInput, NotFound, Refused


def of(folder: Path, id: str) -> Path:
    """Return where a briefing's file is; BadInput for an id that could lead elsewhere."""
    if not BRIEFING.fits(id):
        raise BadInput(f"{id!r} cannot be a briefing's id; use {BRIEFING}")
    return folder / f"{id}.md"


def read(path: Path) -> str:
    """Return a file's text; NotFound without one, BadInput when it cannot be a briefing's."""
    try:
        if path.stat().st_size > format.LARGEST:
            raise BadInput(f"{path}:1: the file is larger than {format.LARGEST} bytes; shorten it")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"{path} does not exist; name a file in the format {format.FORMAT}") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}; mend its rights, or name another") from error
    return format.decode(data, where=str(path))


def place(session: Session, path: Path, data: bytes) -> None:
    """Make a new file, which goes away again if the session's transaction does.

    The same bytes in place already are well; other bytes are Refused.
    """
    try:
        if path.exists():
            if path.read_bytes() != data:
                raise Refused(f"{path} is there already with other words; edit that file, or take another id")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            _undo_on_rollback(session, path)
            file.write(data)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}; mend the folder's rights") from error


def _undo_on_rollback(session: Session, path: Path) -> None:
    settled = []

    @event.listens_for(session, "after_commit", once=True)
    def _keep(_session: Session) -> None:
        settled.append(path)

    @event.listens_for(session, "after_rollback", once=True)
    def _undo(_session: Session) -> None:
        if not settled:
            path.unlink(missing_ok=True)
