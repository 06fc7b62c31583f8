"""The press: what an issue looks like, frozen, checked, and compiled for each reader."""
