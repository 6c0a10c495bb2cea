"""Stores of objects that are no disks: who asks, signed how and over what (`access`), what a `bucket` answers or refuses, and files on their way there and back (`transfers`)."""
