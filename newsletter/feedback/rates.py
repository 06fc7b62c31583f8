"""Rates that say of what: a part, the whole that it is of, and how sure so few can make anybody."""

from dataclasses import dataclass
from math import sqrt
from typing import Any

#: Of fewer than so many a percentage says more than is known.
FEW = 30
_Z = 1.96  # 95%


@dataclass(frozen=True)
class Rate:
    """So many of so many."""

    part: int
    whole: int

    @property
    def share(self) -> float:
        """Return the part as a share of the whole, 0 where there is none."""
        return self.part / self.whole if self.whole else 0.0

    @property
    def likely(self) -> tuple[float, float]:
        """Return between which shares the true one lies in 95 of 100 cases (Wilson's interval)."""
        if not self.whole:
            return 0.0, 1.0
        count, share = self.whole, min(self.share, 1.0)
        middle = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
        around = _Z / (1 + _Z**2 / count) * sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
        return max(middle - around, 0.0), min(middle + around, 1.0)

    def __str__(self) -> str:
        """Return it in words, with percentages only where they mean something."""
        return self.told("")

    def told(self, of: str) -> str:
        """Return it in words that say of what the whole is."""
        counts = f"{self.part:,} of {self.whole:,} {of}".rstrip()
        if self.whole < FEW:
            return counts
        low, high = self.likely
        return f"{counts} ({self.share:.1%}; {low:.1%} to {high:.1%} is likely)"

    def as_json(self) -> dict[str, Any]:
        """Return it in the words of the command line's JSON."""
        low, high = self.likely
        return {
            "count": self.part, "of": self.whole, "rate": round(self.share, 4), "low": round(low, 4),
            "high": round(high, 4),
        }  # fmt: skip
