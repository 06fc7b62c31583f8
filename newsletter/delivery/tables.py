"""The ledger's tables, for statements over many rows at once."""

from newsletter.delivery.models import Audience, Delivery, DeliveryBatch, Rehearsal, RehearsalReader
from subscribers.models import MailingList, Subscriber, Subscription, Suppression
from subscribers.upsert import table

AUDIENCE = table(Audience)
BATCH = table(DeliveryBatch)
DELIVERY = table(Delivery)
LIST = table(MailingList)
REHEARSAL = table(Rehearsal)
REHEARSED = table(RehearsalReader)
SUBSCRIBER = table(Subscriber)
SUBSCRIPTION = table(Subscription)
SUPPRESSION = table(Suppression)
