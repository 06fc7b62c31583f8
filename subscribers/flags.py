"""Flags: what an address gives away about itself. They are told, never a reason to refuse."""

from functools import cache, lru_cache

#: Local parts that name an office, not a person (RFC 2142, and what is common beside it).
ROLES = frozenset((
    "abuse", "admin", "administrator", "billing", "contact", "editor", "enquiries", "finance", "ftp", "hello", "help",
    "hostmaster", "hr", "info", "inquiries", "it", "jobs", "legal", "list", "list-request", "mail", "mailer-daemon",
    "marketing", "media", "news", "newsletter", "no-reply", "noc", "noreply", "office", "orders", "postmaster", "press",
    "privacy", "purchasing", "recruiting", "root", "sales", "security", "service", "spam", "support", "sysadmin",
    "team", "usenet", "uucp", "webmaster", "www",
))  # fmt: skip


def role_account(local: str) -> bool:
    """Return whether a local part is an office's, whatever tag follows a plus."""
    return local.lower().partition("+")[0] in ROLES


@lru_cache(maxsize=20_000)
def disposable(domain: str) -> bool:
    """Return whether a domain, in ASCII, hands out addresses to throw away, or lies under one that does."""
    labels = domain.split(".")
    return any(".".join(labels[start:]) in _listed() for start in range(len(labels) - 1))


@cache
def _listed() -> frozenset[str]:
    from disposable_email_domains import blocklist

    return frozenset(blocklist)
