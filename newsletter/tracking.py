"""How the desk tells people from machines among those who follow links."""

import ipaddress
from functools import cached_property
from typing import Self

from pydantic import Field, model_validator

from newsletter.sections import Section


class Tracking(Section):
    """What speaks for a machine, beside the rules that the desk has by itself. Displaying a mail is never counted."""

    #: seconds after a copy was delivered in which only machines follow its links
    seconds: int = Field(default=10, ge=0, le=3600)
    #: networks that scan mail, such as 203.0.113.0/24
    networks: tuple[str, ...] = ()
    #: words in the name that a program gives itself, such as AcmeMailGuard
    agents: tuple[str, ...] = ()

    @model_validator(mode="after")
    def readable(self) -> Self:
        """Refuse what is no network."""
        for each in self.networks:
            try:
                ipaddress.ip_network(each)
            except ValueError as error:
                raise ValueError(f"networks: {error}; write a network such as 203.0.113.0/24") from error
        if not all(each.strip() for each in self.agents):
            raise ValueError("agents: an empty word would fit every program; take it out")
        return self

    def scans(self, address: str) -> bool:
        """Return whether an address lies in one of the networks."""
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(ip in each for each in self._parsed)

    @cached_property
    def _parsed(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        return tuple(ipaddress.ip_network(each) for each in self.networks)
