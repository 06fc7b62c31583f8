"""Discovery: reading feeds, and the inbox of source items."""
