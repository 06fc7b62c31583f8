"""The rule about templates that cannot be rendered: MJML that is not well-formed or not allowed, Jinja that fails."""

import re
from collections.abc import Iterator

from newsletter.rendering.checks.rule import BLOCK, Fault, Rule


def _broken(told: str) -> Iterator[Fault]:
    """Yield each line of what the press says, at the file and line that it names."""
    for line in told.splitlines():
        found = re.match(r"(.+?\.(?:j2|css|toml):\d+): (.*)", line)
        if line.strip():
            yield (found[1], found[2]) if found else ("template", line.strip())


RULES: tuple[Rule[str], ...] = (
    Rule("email.template", BLOCK, _broken,
         "a template that cannot be rendered: Jinja that fails, MJML that is not well-formed, components and "
         "attributes that MJML does not allow", "without it there is no mail", "mend the template at that line"),
)  # fmt: skip
