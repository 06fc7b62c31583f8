"""Conditions: the small language of segments, read into SQLAlchemy expressions.

    country in ('DE', 'AT') and (topics has 'energy' or plan = 'pro') and opened within 30 days and not suppressed

sqlglot reads the text with the words of `language` and no others; `reading` translates the tree node by node, and
refuses a node that it does not list. Values are bound, never written into SQL, and so are the names of attributes,
which must be declared.
"""

from subscribers.conditions.condition import Condition, compile, named, names
from subscribers.conditions.fields import USES, Known, known

__all__ = ["USES", "Condition", "Known", "compile", "known", "named", "names"]
