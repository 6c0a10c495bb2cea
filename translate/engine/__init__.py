"""The engine: bytes to hub columns and back, exactly; by the kernel where it could be built, else by the reference."""
