"""What every HTTP provider has in common: one safe exchange, one link, one way to ask for receipts.

An adapter (``gateways/adapters/<slug>``) fills in ``HttpGateway``; see docs/adding-a-gateway.md.
"""
