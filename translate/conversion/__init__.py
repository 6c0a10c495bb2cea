"""A run of `convert`: units, what became of them, and what it leaves behind."""
