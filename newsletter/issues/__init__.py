"""The issue: composing a digest from approved briefings."""
