"""Sending converted events to live endpoints: packed, paced, sorted by what the receiver answered, and journalled."""
