"""The kernel: built, chosen and called; it knows bytes and tables, and never a model."""
