"""The table of the press: what an issue looks like, fixed."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel


class Rendering(SQLModel, table=True):
    """The frozen subject, HTML and text of an issue, and what differs in them by reader, by the hash of it all."""

    __tablename__ = "rendering"

    sha256: str = Field(primary_key=True, max_length=64)
    issue_id: int = Field(foreign_key="issue.id", index=True)
    theme: str = Field(max_length=80)
    subject: str = Field(max_length=400)
    alternatives: list[str] = Field(default_factory=list, sa_type=JSON)
    preheader: str = Field(default="", max_length=400)
    html: str
    text: str
    manifest: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    personal: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    at: datetime
