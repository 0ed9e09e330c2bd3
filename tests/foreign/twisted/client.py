"""python client.py '{"port": N, "mode": "transceiver", "messages": [...], "receipts": N, "inbound": N}'

``smpp.twisted`` as a client: binds (mode "separate": a transmitter and a receiver), sends, waits for so many receipts
and messages, unbinds, and tells it all as one JSON line.
"""

import json
import sys
import warnings

from smpp.pdu import operations, pdu_types
from smpp.twisted.client import SMPPClientReceiver, SMPPClientTransceiver, SMPPClientTransmitter
from smpp.twisted.config import SMPPClientConfig
from twisted.internet import defer, reactor, task
from wire import make_params, read_message, status_number, tell, text_of

warnings.simplefilter("ignore")  # it asks for packages that only TLS needs
JOB = json.loads(sys.argv[1])
SEEN = {"binds": [], "answers": [], "receipts": [], "inbound": []}


def receive(smpp, pdu):
    message = read_message(pdu)
    SEEN["receipts" if message["esm_class"] & 4 else "inbound"].append(message)
    return pdu_types.CommandStatus.ESME_ROK


@defer.inlineCallbacks
def run():
    config = SMPPClientConfig(host="127.0.0.1", port=JOB["port"], username="twisted", password="secret")
    if JOB.get("mode") == "separate":
        clients = [SMPPClientReceiver(config, receive), SMPPClientTransmitter(config)]
    else:
        clients = [SMPPClientTransceiver(config, receive)]
    for client in clients:
        yield client.connectAndBind()
        SEEN["binds"].append(0)
    for index, order in enumerate(JOB["messages"]):
        try:
            result = yield clients[-1].smpp.sendDataRequest(operations.SubmitSM(**make_params(order)))
            status, identity = status_number(result.response.status), text_of(result.response.params.get("message_id"))
        except Exception as error:
            status, identity = str(error), ""
        SEEN["answers"].append({"index": index, "status": status, "id": identity})
    while len(SEEN["receipts"]) < JOB.get("receipts", 0) or len(SEEN["inbound"]) < JOB.get("inbound", 0):
        yield task.deferLater(reactor, 0.01)
    for client in clients:
        yield client.smpp.unbindAndDisconnect()
    tell(SEEN)


def end(outcome):
    if outcome is not None:
        tell({"error": outcome.getErrorMessage()})
    reactor.stop()


reactor.callWhenRunning(lambda: run().addBoth(end))
reactor.run()
