"""Gateways: the adapter contract, the adapters, and the operator simulator."""
