"""Links to sources: one spelling for one page, and the signs of a link that leads there by way of somebody else."""

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

_TRACKING = re.compile(
    r"(?:utm_|mtm_|pk_|hsa_|at_)\w+|fbclid|gclid|dclid|msclkid|yclid|twclid|igshid|mc_[ce]id|_hs(?:enc|mi)|vero_id|"
    r"oly_(?:enc|anon)_id|s_cid|cmpid|ref_src|guccounter",
    re.IGNORECASE,
)
_SHORT = (
    "bit.ly buff.ly cutt.ly dlvr.it fb.me goo.gl ift.tt is.gd lnkd.in ow.ly rb.gy rebrand.ly reut.rs shorturl.at t.co "
    "t.ly tiny.cc tinyurl.com trib.al youtu.be"
)
_PROXIES = (
    "feedproxy.google.com feeds.feedburner.com feedburner.com rss.app feed.informer.com news.google.com rssfeeds.com"
)
_PORTS = {"http": "80", "https": "443"}


def canonical(url: str) -> str:
    """Return one spelling for all links to a page: small host, no default port, no fragment, no tracking."""
    parts = _split(url)
    if parts is None or parts.hostname is None:
        return url
    port = "" if parts.port is None or str(parts.port) == _PORTS.get(parts.scheme) else f":{parts.port}"
    asked = "&".join(each for each in parts.query.split("&") if each and not _TRACKING.fullmatch(each.split("=")[0]))
    return urlunsplit((parts.scheme, f"{parts.hostname}{port}", parts.path or "/", asked, ""))


def detour(url: str) -> str:
    """Return by what a link leads to its page in place of straight on, the empty string where by nothing."""
    parts = _split(url)
    if parts is None or parts.hostname is None:
        return ""
    host = parts.hostname.removeprefix("www.")
    if host in _SHORT.split():
        return f"the shortener {host}"
    if host in _PROXIES.split():
        return f"the feed proxy {host}"
    marks = [name for each in parts.query.split("&") if _TRACKING.fullmatch(name := each.split("=")[0])]
    return f"the tracking mark {marks[0]}" if marks else ""


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        return parts if parts.port is None or parts.port > 0 else None
    except ValueError:  # a bracket without its partner, a port that is no number
        return None
