"""Presets: the columns of other programs' exports, so that people can move in.

Each names the export's columns as their owners document them, what becomes of each, and what their words for a
person's standing mean here. A column that is nothing here is left out; one that is not listed is like any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from subscribers.models import SuppressionReason

#: A column that is left out on purpose.
LEAVE_OUT = "-"

_ON = {"confirmed": "confirmed", "active": "confirmed", "subscribed": "confirmed", "enabled": "confirmed"}
#: The words for a standing that are understood everywhere.
WORDS: Mapping[str, str] = {
    **_ON, "pending": "pending", "unconfirmed": "pending", "unsubscribed": "unsubscribed",
    **{reason.value: reason.value for reason in SuppressionReason if reason != SuppressionReason.UNSUBSCRIBED},
}  # fmt: skip


def _out(columns: str) -> dict[str, str]:
    return dict.fromkeys(columns.split(), LEAVE_OUT)


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Another program's export: its columns in the spelling of `mapping.spelled`, and its words for a standing.

    `settles` are columns whose being filled says a standing by itself; `separator` stands between topics.
    """

    columns: Mapping[str, str]
    words: Mapping[str, str] = field(default_factory=dict)
    settles: Mapping[str, str] = field(default_factory=dict)
    separator: str = ";"


PRESETS: Mapping[str, Preset] = {
    "listmonk": Preset(
        columns={
            "email": "email", "name": "name", "attributes": "attributes", "status": "status", "created_at": "joined",
            **_out("uuid updated_at"),
        },
        # Somebody disabled gets no mail and may be enabled again: no confirmation stands.
        words={"enabled": "confirmed", "disabled": "unsubscribed", "blocklisted": "manual"},
    ),
    "mailchimp": Preset(
        columns={
            "email_address": "email", "first_name": "first_name", "last_name": "last_name", "status": "status",
            "tags": "topics", "cc": "country", "optin_time": "joined", "confirm_time": "consented",
            "confirm_ip": "consent_ip", "language": "language",
            **_out(
                "address phone_number birthday member_rating optin_ip latitude longitude gmtoff dstoff timezone region "
                "last_changed leid euid notes unsub_time unsub_campaign_title unsub_campaign_id unsub_reason "
                "unsub_reason_other clean_time clean_campaign_title clean_campaign_id"
            ),
        },
        words={
            "subscribed": "confirmed", "cleaned": "hard_bounce", "non_subscribed": "pending",
            "archived": "unsubscribed",
        },
        settles={"unsub_time": "unsubscribed", "clean_time": "hard_bounce"},
        separator=",",
    ),
    "substack": Preset(
        columns={
            "email": "email", "name": "name", "created_at": "joined", "email_disabled": "status",
            **_out("active_subscription expiry plan first_payment_at prefer_digests"),
        },
        words={"false": "confirmed", "true": "unsubscribed"},
    ),
    "ghost": Preset(
        columns={
            "email": "email", "name": "name", "subscribed_to_emails": "status", "created_at": "joined",
            "labels": "topics",
            **_out("id note complimentary_plan stripe_customer_id deleted_at tiers products gift_id"),
        },
        words={"true": "confirmed", "false": "unsubscribed"},
        settles={"deleted_at": "unsubscribed"},
        separator=",",
    ),
    "buttondown": Preset(
        columns={
            "email": "email", "email_address": "email", "type": "status", "subscriber_type": "status",
            "tags": "topics", "creation_date": "joined", "metadata": "attributes",
            **_out(
                "id notes referrer_url secondary_id source utm_campaign utm_medium utm_source last_open_date "
                "last_click_date last_activity_date ip_address unsubscription_date unsubscription_reason churn_date "
                "undeliverability_date undeliverability_reason upgrade_date stripe_customer_id transitions avatar_url"
            ),
        },
        words={
            **dict.fromkeys(
                ("regular", "premium", "trialed", "unpaid", "gifted", "churning", "churned", "paused", "past_due"),
                "confirmed",
            ),
            "unactivated": "pending", "unsubscribed": "unsubscribed", "removed": "unsubscribed", "spammy": "manual",
            "blocked": "manual", "complained": "complaint", "undeliverable": "hard_bounce",
        },
        separator=",",
    ),
    "beehiiv": Preset(
        columns={
            "email": "email", "status": "status", "created": "joined", "created_at": "joined",
            "subscribed_at": "joined", "first_name": "first_name", "last_name": "last_name", "tags": "topics",
            **_out(
                "id subscriber_id subscription_tier tier subscription_premium_tier_names utm_source utm_medium "
                "utm_channel utm_campaign utm_term utm_content referring_site referral_code stripe_customer_id "
                "stats total_sent total_received total_unique_opened total_clicked total_unique_clicked open_rate "
                "click_rate last_opened_at last_clicked_at acquisition_source unsubscribed_at"
            ),
        },
        words={
            "active": "confirmed", "pending": "pending", "validating": "pending", "needs_attention": "pending",
            "inactive": "unsubscribed", "invalid": "invalid",
        },
        settles={"unsubscribed_at": "unsubscribed"},
        separator=",",
    ),
}  # fmt: skip
