"""python centre.py '{"answer_ids": "dec", "receipt_ids": "dec", "receipt_form": "both", "pem": PATH}'

``smpp.twisted`` (the protocol inside the gateway Jasmin) as a message centre on 127.0.0.1. Tells what it sees as JSON
lines, takes {"deliver": {...}} on its input and ends with it. Numbers ending in 9 are refused, in 8 throttled once;
ending in 7 they are never delivered.
"""

import json
import sys

from smpp.pdu import operations, pdu_types
from smpp.twisted.config import SMPPServerConfig
from smpp.twisted.protocol import DataHandlerResponse
from smpp.twisted.server import SMPPServerFactory
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet import endpoints, reactor, stdio
from twisted.protocols import basic
from wire import make_params, read_message, status_number, tell, text_of
from zope.interface import implementer

STATUS = pdu_types.CommandStatus
NAMES = {"BOUND_TX": "transmitter", "BOUND_RX": "receiver", "BOUND_TRX": "transceiver"}


@implementer(IRealm)
class Realm:
    def requestAvatar(self, avatar_id, mind, *interfaces):
        return interfaces[0], avatar_id, lambda: None


class Centre:
    def __init__(self, options):
        self.options = options
        self.taken = 0
        self.throttled = set()
        config = SMPPServerConfig(msgHandler=self.take, systems={"peyk": {"max_bindings": 8}})
        # It compares octets with octets, so the names of the accounts are octets here.
        checker = InMemoryUsernamePasswordDatabaseDontUse()
        checker.addUser("peyk", "secret")
        self.factory = SMPPServerFactory(config, Portal(Realm(), [checker]))
        add = self.factory.addBoundConnection

        def tell_bind(connection):
            tell({"bind": NAMES[connection.sessionState.name]})
            add(connection)

        self.factory.addBoundConnection = tell_bind

    def write_id(self, number, base):
        return (f"{number:X}" if base == "hex" else str(number)).encode()

    def take(self, system_id, link, pdu):
        if not isinstance(pdu, operations.SubmitSM):
            return STATUS.ESME_RINVCMDID
        tell({"submit": read_message(pdu)})
        number = text_of(pdu.params["destination_addr"])
        if number.endswith("9"):
            return STATUS.ESME_RINVDSTADR
        if number.endswith("8") and number not in self.throttled:
            self.throttled.add(number)
            return STATUS.ESME_RTHROTTLED
        self.taken += 1
        identity = 100_000 + self.taken
        wanted = pdu.params["registered_delivery"].receipt
        if wanted is pdu_types.RegisteredDeliveryReceipt.SMSC_DELIVERY_RECEIPT_REQUESTED:
            reactor.callLater(0.005, self.send_receipt, system_id, pdu, identity)
        return DataHandlerResponse(STATUS.ESME_ROK, message_id=self.write_id(identity, self.options["answer_ids"]))

    def send_receipt(self, system_id, submit, number):
        identity = self.write_id(number, self.options["receipt_ids"])
        failed = text_of(submit.params["destination_addr"]).endswith("7")
        text = b""
        if self.options["receipt_form"] != "tlv":
            text = b"id:%b sub:001 dlvrd:%b submit date:2611221200 done date:2611221201 stat:%b err:%b text:" % (
                identity,
                b"000" if failed else b"001",
                b"UNDELIV" if failed else b"DELIVRD",
                b"001" if failed else b"000",
            )
        order = {
            "from": text_of(submit.params["destination_addr"]),
            "to": text_of(submit.params["source_addr"]),
            "esm_class": 4,
            "octets": text.hex(),
            "receipt": False,
        }
        params = make_params(order)
        if self.options["receipt_form"] != "text":
            params["receipted_message_id"] = identity
            params["message_state"] = getattr(pdu_types.MessageState, "UNDELIVERABLE" if failed else "DELIVERED")
        self.send(params, "receipt_answer", system_id)

    def send(self, params, kind, system_id="peyk"):
        binds = self.factory.getBoundConnections(system_id)
        link = binds.getNextBindingForDelivery() if binds else None
        if link is None:
            tell({"error": "no receiver"})
            return
        sent = link.sendDataRequest(operations.DeliverSM(**params))
        sent.addCallback(lambda result: tell({kind: status_number(result.response.status)}))
        sent.addErrback(lambda failure: tell({kind: failure.getErrorMessage()}))


class Orders(basic.LineReceiver):
    delimiter = b"\n"

    def __init__(self, centre):
        self.centre = centre

    def lineReceived(self, line):
        order = json.loads(line)["deliver"]
        self.centre.send(make_params({**order, "receipt": False}), "inbound_answer")

    def connectionLost(self, reason):
        if reactor.running:
            reactor.stop()


def main():
    options = {"answer_ids": "dec", "receipt_ids": "dec", "receipt_form": "both", "pem": ""}
    options.update(json.loads(sys.argv[1]) if len(sys.argv) > 1 else {})
    centre = Centre(options)
    where = endpoints.TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
    where.listen(centre.factory).addCallback(lambda port: tell({"port": port.getHost().port}))
    stdio.StandardIO(Orders(centre))
    reactor.run()


main()
