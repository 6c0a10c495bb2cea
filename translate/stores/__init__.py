"""Stores of objects that are no disks: who asks, how a call is signed and sent, and what a bucket answers."""
