from .account import GatewayAccount, make_push_token
from .health import ConnectionCheck, ConnectionFigures, ConnectionIncident, LinkStatus
from .inbound import InboundNumber
from .pulling import PullCursor, ReceiptJob
from .routing import (
    AccountHealth,
    AccountMonth,
    BilledProfile,
    PortedNumber,
    ProviderCharge,
    RouteRule,
    RouteTarget,
)
from .senders import SenderApproval, SenderDocument, SenderId

__all__ = [
    "AccountHealth",
    "AccountMonth",
    "BilledProfile",
    "ConnectionCheck",
    "ConnectionFigures",
    "ConnectionIncident",
    "GatewayAccount",
    "InboundNumber",
    "LinkStatus",
    "PortedNumber",
    "ProviderCharge",
    "PullCursor",
    "ReceiptJob",
    "RouteRule",
    "RouteTarget",
    "SenderApproval",
    "SenderDocument",
    "SenderId",
    "make_push_token",
]
