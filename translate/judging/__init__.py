"""One judge of rows, for those that are written and those that are read: the limits and checks of their layout."""
