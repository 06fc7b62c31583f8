"""Each program's export, in the shape that its owners document, becomes what it said."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from subscribers import mapping, suppressions
from subscribers.errors import BadRow
from tests.subscribers.importing import Desk, counts

MAILCHIMP = (
    '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,'
    "LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS\n"
    'ada@example.com,Ada,Brandt,2,"2020-02-03 04:05:06",192.0.2.1,"2020-02-03 04:06:00",192.0.2.2,50.1,8.6,1,2,'
    'Europe/Berlin,DE,HE,"2021-01-01 00:00:00",90498395,810826c56e,,"""VIP"",""Energy, Grid"""\n'
)
CLEANED = (
    '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,LEID,EUID\n'
    'bob@example.com,Bob,,2,,"2022-01-01 00:00:00",May,1,2\n'
)
LISTMONK = (
    "uuid,email,name,attributes,status,created_at,updated_at\n"
    '7e1c,ada@example.com,Ada Brandt,"{""plan"": ""pro"", ""n"": 3}",enabled,2021-03-04 05:06:07.891234 +0000 UTC,'
    "2021-03-04 05:06:07.891234 +0000 UTC\n"
    "7e1d,bob@example.com,Bob,{},blocklisted,2021-03-04 05:06:07.891234 +0100 CET,\n"
    "7e1e,cyd@example.com,Cyd,{},disabled,2021-03-04 05:06:07 +0000 UTC,\n"
)
GHOST = (
    "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers,"
    "gift_id\r\n"
    'm1,ada@example.com,Ada Brandt,"VIP, early",'
    'true,true,cus_1,2024-01-15T10:00:00.000Z,,"VIP,2023-05-09 08:57",Gold,\r\n'
    "m2,bob@example.com,,,false,false,,2024-01-15T10:00:00.000Z,,,,\r\n"
    "m3,cyd@example.com,,,true,false,,2024-01-15T10:00:00.000Z,2025-01-15T10:00:00.000Z,,,\r\n"
)
SUBSTACK = (
    "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
    "ada@example.com,true,2026-12-01,yearly,false,2024-02-01T00:00:00.000Z,2024-03-01T00:00:00.000Z\n"
    "bob@example.com,false,,other,true,2024-02-01T00:00:00.000Z,\n"
)
BUTTONDOWN = (
    "id,creation_date,email_address,notes,metadata,tags,referrer_url,type,source,ip_address,unsubscription_date\n"
    '1,2023-04-05T06:07:08.000000Z,ada@example.com,note,"{""plan"": ""pro""}","energy,cloud",,regular,form,192.0.2.9,\n'
    "2,2023-04-05T06:07:08.000000Z,bob@example.com,,{},,,unactivated,form,,\n"
    "3,2023-04-05T06:07:08.000000Z,cyd@example.com,,{},,,complained,form,,\n"
    "4,2023-04-05T06:07:08.000000Z,dee@example.com,,{},,,unsubscribed,form,,2024-01-01\n"
)
BEEHIIV = (
    "id,email,status,created,subscription_tier,utm_source,utm_medium,utm_campaign,referring_site,referral_code\n"
    "sub_1,ada@example.com,active,1755000000,free,facebook.com,,,,abc\n"
    "sub_2,bob@example.com,inactive,1755000000,free,,,,,\n"
    "sub_3,cyd@example.com,pending,1755000000,free,,,,,\n"
    "sub_4,dee@example.com,invalid,1755000000,free,,,,,\n"
)


def stand(here: Desk) -> dict[str, str]:
    """Return where each subscriber stands, by the part before the @."""
    return {each.email.partition("@")[0]: each.subscriptions["weekly"] for each in here.everybody()}


def barred(here: Desk) -> list[tuple[str, str]]:
    """Return who is suppressed and why."""
    with here.open() as session:
        return [(each.email.partition("@")[0], each.reason.value) for each in suppressions.all(session)]


@pytest.mark.parametrize(
    ("program", "text", "stands", "bars", "joined", "topics"),
    [
        ("mailchimp", MAILCHIMP, {"ada": "confirmed"}, [], datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC),
         ["energy, grid", "vip"]),
        ("listmonk", LISTMONK, {"ada": "confirmed", "cyd": "unsubscribed"}, [("bob", "manual")],
         datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC), []),
        ("ghost", GHOST, {"ada": "confirmed", "bob": "unsubscribed", "cyd": "unsubscribed"}, [],
         datetime(2024, 1, 15, 10, tzinfo=UTC), ["2023-05-09 08:57", "vip"]),
        ("substack", SUBSTACK, {"ada": "confirmed", "bob": "unsubscribed"}, [], datetime(2024, 2, 1, tzinfo=UTC), []),
        ("buttondown", BUTTONDOWN, {"ada": "confirmed", "bob": "pending", "dee": "unsubscribed"},
         [("cyd", "complaint")], datetime(2023, 4, 5, 6, 7, 8, tzinfo=UTC), ["cloud", "energy"]),
        ("beehiiv", BEEHIIV, {"ada": "confirmed", "bob": "unsubscribed", "cyd": "pending"}, [("dee", "invalid")],
         datetime(2025, 8, 12, 12, 0, tzinfo=UTC), []),
    ],
)  # fmt: skip
def test_people_move_in_from_another_program(
    here: Desk, program: str, text: str, stands: dict[str, str], bars: list[tuple[str, str]], joined: datetime,
    topics: Sequence[str],
) -> None:  # fmt: skip
    if program == "listmonk":
        here.declare("n")
    result = here.load(text, preset=program)
    assert (result.rejected, result.first_rejects) == (0, ())
    assert (stand(here), barred(here)) == (stands, bars)
    ada = here.find("ada@example.com")
    assert (ada.joined_at.replace(microsecond=0), ada.topics) == (joined, topics)
    if program in ("mailchimp", "listmonk", "ghost"):
        assert ada.name == "Ada Brandt"
    if program in ("listmonk", "buttondown"):
        assert ada.attributes["plan"] == "pro"


def test_who_bounced_or_left_in_mailchimp_is_told_by_a_time(here: Desk) -> None:
    assert counts(here.load(CLEANED, preset="mailchimp", basis="")) == (0, 0, 0, 0, 1, 0)
    assert barred(here) == [("bob", "hard_bounce")]
    left = CLEANED.replace("CLEAN_", "UNSUB_").replace("bob", "cyd")
    assert counts(here.load(left, preset="mailchimp")) == (1, 0, 0, 0, 0, 0)
    assert stand(here) == {"cyd": "unsubscribed"}


@pytest.mark.parametrize(
    ("columns", "how", "says"),
    [
        (["name", "mail"], {}, r"no column `email` \(it has: name, mail\).*--map 'COLUMN=email'"),
        (["Email Address"], {}, "an export of mailchimp.*--preset mailchimp"),
        (["email", ""], {}, "column 2 is called ''"),
        (["email", "Plan", "plan"], {}, "columns 'Plan' and 'plan' are both attribute plan.*--map 'plan=-'"),
        (["email", "E-mail"], {"given": ["E-mail=email"]}, "are both email"),
        (["email"], {"given": ["nmae=name"]}, "there is no column 'nmae'"),
        (["email", "x"], {"given": ["x=nmae"]}, "'nmae' is no field; did you mean name"),
        (["email", "x"], {"given": ["x"]}, "no column ''"),
        (["email"], {"program": "listmnok"}, "no preset 'listmnok'; did you mean listmonk"),
    ],
)
def test_columns_that_cannot_be_understood_are_refused_by_name(
    columns: list[str], how: dict[str, object], says: str
) -> None:
    with pytest.raises(BadRow, match=says):
        mapping.choose(columns, name="people.csv", **how)  # type: ignore[arg-type]


def test_what_is_said_of_a_column_goes_before_its_name_and_the_preset() -> None:
    chosen = mapping.choose(
        ["Mail", "email", "First Name", "TAGS"], name="x", program="mailchimp",
        given=["Mail=email", "email=-", "TAGS=attribute tags"],
    )  # fmt: skip
    assert (chosen.fields, chosen.attributes) == ({"email": 0, "first_name": 2}, {"tags": 3})
    assert chosen.left_out == {"email"}
