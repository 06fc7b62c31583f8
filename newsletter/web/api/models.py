"""The tables of the interface for programs: who may come in, and what was answered."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel


class AccessToken(SQLModel, table=True):
    """A token that a program shows with each request; of its secret only the hash is kept."""

    __tablename__ = "access_token"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=60, unique=True)
    secret_sha256: str = Field(max_length=64, unique=True)
    scopes: list[str] = Field(default_factory=list, sa_type=JSON)
    created_at: datetime
    created_by: str = Field(max_length=80)
    expires_at: datetime | None = Field(default=None)
    used_at: datetime | None = Field(default=None)
    revoked_at: datetime | None = Field(default=None)
    revoked_by: str = Field(default="", max_length=80)


class KeptAnswer(SQLModel, table=True):
    """The answer to a request that named itself, so that the same request is not carried out twice."""

    __tablename__ = "kept_answer"
    __table_args__ = (UniqueConstraint("token_id", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    token_id: int = Field(foreign_key="access_token.id")
    key: str = Field(max_length=255)
    request_sha256: str = Field(max_length=64)
    #: whom the answer tells of: erasing them erases it
    subscriber_id: int | None = Field(default=None, foreign_key="subscriber.id", ondelete="CASCADE", index=True)
    body: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    at: datetime = Field(index=True)
