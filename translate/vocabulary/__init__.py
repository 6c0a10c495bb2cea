"""The words that mappings use: what each means, both ways."""
