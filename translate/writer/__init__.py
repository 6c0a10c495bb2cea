"""Hub events to a target's rows."""
