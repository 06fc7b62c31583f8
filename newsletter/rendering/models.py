"""The tables of the press: what an issue looks like, fixed, and where its links lead."""

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


class RenderingLink(SQLModel, table=True):
    """Where a link of a rendering leads, by the number that stands for it in mail, from 1 on; it stays for good."""

    __tablename__ = "rendering_link"

    rendering: str = Field(foreign_key="rendering.sha256", primary_key=True, max_length=64)
    number: int = Field(primary_key=True)
    url: str
