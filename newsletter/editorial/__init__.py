"""The editors' room: briefings, approvals, the standards gate, related briefings."""
