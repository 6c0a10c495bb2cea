"""The speakers of the protocols: each sends one shipment and sorts the answer."""
