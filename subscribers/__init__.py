"""The audience: who reads, on which lists, about what, and who must not be mailed."""
