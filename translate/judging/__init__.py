"""One judge of rows, for those that are written and those that are read: the limits and checks of their layout; and what a receiver makes of all of them (`survey`, `hazards`, `preflight`)."""
