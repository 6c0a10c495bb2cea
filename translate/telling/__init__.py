"""What is said of an archive or a mapping without converting it."""
