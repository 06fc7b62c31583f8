"""The proof on screen: an issue as clients show it, with what the checks say, kept up to date while somebody edits."""
