"""Stores of objects that are no disks: who asks, signed how (`access`), over which `connections`, what a `bucket` answers or refuses."""
