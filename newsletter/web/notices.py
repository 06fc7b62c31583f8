"""What the desk says of an issue that readers have: which of its briefings were corrected, which withdrawn."""

from dataclasses import dataclass

from sqlmodel import Session

from newsletter.issues import issues
from newsletter.web import corrections, published
from newsletter.web.corrections import Correction
from newsletter.web.site import Site


@dataclass(frozen=True, kw_only=True)
class Notices:
    """The notices of one issue; `withdrawn` is by briefing what stands in the place of its text."""

    withdrawn: dict[str, str]
    corrections: tuple[Correction, ...]

    def __bool__(self) -> bool:
        return bool(self.withdrawn or self.corrections)


def of(session: Session, site: Site, issue_id: int) -> Notices:
    """Return what was said of an issue's briefings since it went out, corrections newest first."""
    names = [item.briefing_id for item in issues.items(session, issue_id)]
    gone = published.killed(session, names)
    said = [each for name in names if name not in gone for each in corrections.of(session, name)]
    return Notices(
        withdrawn={name: site.write("withdrawn.html.j2") for name in names if name in gone},
        corrections=tuple(sorted(said, key=lambda each: each.at, reverse=True)),
    )
