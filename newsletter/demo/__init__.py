"""The whole road on sample data: a publication made, written, approved, composed, sent and counted."""
