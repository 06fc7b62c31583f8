"""The SMTP client (RFC 5321): one connection to a relay, and as many messages in one round trip as the relay allows."""

from newsletter.delivery.smtp.connection import Connection
from newsletter.delivery.smtp.credentials import Credentials, credentials
from newsletter.delivery.smtp.offers import Offers
from newsletter.delivery.smtp.opening import connect, name_of
from newsletter.delivery.smtp.timeouts import Timeouts

__all__ = ["Connection", "Credentials", "Offers", "Timeouts", "connect", "credentials", "name_of"]
