"""The ledger's tables, for statements over many rows at once."""

from newsletter.delivery.models import (
    Audience,
    Delivery,
    DeliveryBatch,
    Edition,
    Letter,
    Rehearsal,
    RehearsalReader,
    RelayState,
    Schedule,
    SubjectTest,
)  # fmt: skip
from subscribers.models import MailingList, Subscriber, Subscription, Suppression
from subscribers.upsert import table

AUDIENCE = table(Audience)
BATCH = table(DeliveryBatch)
DELIVERY = table(Delivery)
EDITION = table(Edition)
LETTER = table(Letter)
LIST = table(MailingList)
RELAY_STATE = table(RelayState)
REHEARSAL = table(Rehearsal)
REHEARSED = table(RehearsalReader)
SCHEDULE = table(Schedule)
SUBJECT_TEST = table(SubjectTest)
SUBSCRIBER = table(Subscriber)
SUBSCRIPTION = table(Subscription)
SUPPRESSION = table(Suppression)
