from .database import DatabaseIdentity
from .inbox import InboundMessage, ReceiptInbox
from .message import Message, MessageBatch, ProviderReference
from .route_step import RouteStep
from .run import SendRun
from .session import DispatcherSession
from .tally import RunTally

__all__ = [
    "DatabaseIdentity",
    "DispatcherSession",
    "InboundMessage",
    "Message",
    "MessageBatch",
    "ProviderReference",
    "ReceiptInbox",
    "RouteStep",
    "RunTally",
    "SendRun",
]
