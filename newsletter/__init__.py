"""The newsletter desk: from feeds to approved briefings to a digest that reaches everyone once."""

__version__ = "0.1.0"
