"""The pages that readers touch."""
