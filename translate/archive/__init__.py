"""Where an archive lies, what lies in it, and its lines."""
