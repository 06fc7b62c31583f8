"""What happened to a briefing, told from the audit trail."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from newsletter import audit
from newsletter.words import counted


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One thing that somebody did to a briefing; `summary` says the detail in words."""

    at: datetime
    actor: str
    action: str
    summary: str
    detail: dict[str, Any]


def history(session: Session, id: str) -> list[HistoryEntry]:
    """Return what was done to a briefing, oldest first."""
    return [
        HistoryEntry(
            at=entry.at, actor=entry.actor, action=entry.action, summary=summary(entry.action, entry.detail),
            detail=entry.detail,
        )
        for entry in audit.entries(session, "briefing", id)
    ]  # fmt: skip


def summary(action: str, detail: dict[str, Any]) -> str:
    """Return the detail of an entry in words."""
    said = []
    if "revision" in detail:
        said.append(f"revision {detail['revision']}, {detail['sha256'][:12]}")
    if detail.get("solo"):
        said.append("solo: the approver had a hand in the text")
    if detail.get("warnings"):
        said.append(counted(detail["warnings"], "warning"))
    if "issue" in detail:
        said.append(f"in issue {detail['issue']}")
    if "rule" in detail:
        said.append(f"rule {detail['rule']}")
    if detail.get("place"):
        said.append(f"on {detail['place']}")
    if detail.get("report"):
        said.append(f"report {detail['report']}")
    if "approved_by" in detail:
        said.append(f"the approval by {detail['approved_by']} no longer holds")
    said += [detail[name] for name in ("file", "reason", "note") if detail.get(name)]
    return "; ".join(said) or action
