"""Whom a copy is for."""

from dataclasses import dataclass

from newsletter.issues.traits import NOBODY, Traits


@dataclass(slots=True)  # one is made for each message, and frozen it would take seven times as long
class Reader:
    """One delivery with what its message needs to know of the reader and of the list that brings it.

    `list_identifier` is empty where the list has none of its own. `delivery_id` 0 is a message outside the ledger;
    `subscriber_id` 0 is a test message. `traits` are what a personal issue asks.
    """

    delivery_id: int
    subscriber_id: int
    email: str
    list_id: int
    list_name: str
    list_title: str
    list_identifier: str = ""
    attempts: int = 0
    resent: bool = False
    traits: Traits = NOBODY
    #: which of the issue's subjects the copy carries, counted from 0
    variant: int = 0
    #: whether it is counted which links they follow
    tracked: bool = False
    #: how many seconds the schedule of attempts has had the copy wait so far
    waited: float = 0.0
    #: whether the last attempt was put off because who we are was refused for them alone
    refused: bool = False
