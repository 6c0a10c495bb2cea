"""Raw text to hub events."""
