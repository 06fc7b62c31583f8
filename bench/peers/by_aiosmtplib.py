"""What a careful user of aiosmtplib writes: `python by_aiosmtplib.py PORT COUNT < issue.json` prints messages a second.

Ten connections that are kept, one message after the other over each; a message is filled and built for each reader.
"""

import asyncio
import json
import sys
import time
from email import policy
from email.message import EmailMessage

import aiosmtplib

CONNECTIONS = 10


def built(issue: dict[str, str], number: int) -> EmailMessage:
    """Return one reader's message."""
    values = {"name": f"Reader {number}", "address": f"reader{number}@mail.test", "token": f"{number:040d}"}
    html, text = issue["html"], issue["text"]
    for name, value in values.items():
        html, text = html.replace(f"%{name}%", value), text.replace(f"%{name}%", value)
    made = EmailMessage(policy=policy.SMTP)
    made["From"], made["To"], made["Subject"] = issue["from"], values["address"], issue["subject"]
    made["Message-ID"] = f"<{number}@news.example.com>"
    made["List-Unsubscribe"] = f"<https://news.example.com/u/{values['token']}>"
    made.set_content(text)
    made.add_alternative(html, subtype="html")
    return made


async def connection(port: int, issue: dict[str, str], numbers: list[int]) -> None:
    """Send the messages that are left, one after the other."""
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
        while numbers:
            await client.send_message(built(issue, numbers.pop()))


async def main(port: int, count: int) -> None:
    """Send them all, and print how fast that went."""
    issue, numbers = json.load(sys.stdin), list(range(count))
    start = time.perf_counter()
    await asyncio.gather(*(connection(port, issue, numbers) for _ in range(CONNECTIONS)))
    print(count / (time.perf_counter() - start))


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
