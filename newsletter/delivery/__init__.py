"""Delivery: the ledger, the relay, the message, the send."""
