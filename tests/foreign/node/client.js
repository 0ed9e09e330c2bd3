// node client.js '{"port": N, "tls": false, "mode": "transceiver", "messages": [...], "receipts": N, "inbound": N}'
//
// node-smpp as a client: binds (mode "separate": a transmitter and a receiver), sends, waits for so many receipts and
// messages, unbinds, and tells it all as one JSON line.
'use strict';
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; // the test's own certificate
process.removeAllListeners('warning');
const { smpp, tell, readMessage, makeMessage } = require('./wire');

const job = JSON.parse(process.argv[2]);
const seen = { binds: [], answers: [], receipts: [], inbound: [] };
const sessions = [];

function isDone() {
  return seen.answers.length === job.messages.length && seen.receipts.length >= (job.receipts || 0) &&
    seen.inbound.length >= (job.inbound || 0);
}

function check() {
  if (!isDone()) return;
  let open = sessions.length;
  for (const session of sessions) {
    session.unbind(() => {
      session.close();
      open -= 1;
      if (!open) {
        tell(seen);
        process.exit(0);
      }
    });
  }
}

function send(session) {
  job.messages.forEach((order, index) => {
    session.submit_sm(makeMessage(order), (answer) => {
      seen.answers.push({ index, status: answer.command_status, id: answer.message_id || '' });
      check();
    });
  });
  check();
}

function receive(session, pdu) {
  const message = readMessage(pdu);
  session.send(pdu.response());
  (message.esm_class & 4 ? seen.receipts : seen.inbound).push(message);
  check();
}

function open(mode, then) {
  const session = smpp.connect({ host: '127.0.0.1', port: job.port, tls: Boolean(job.tls) }, () => {
    session[`bind_${mode}`]({ system_id: 'node', password: 'secret' }, (answer) => {
      seen.binds.push(answer.command_status);
      then(session);
    });
  });
  session.on('deliver_sm', (pdu) => receive(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('error', (error) => {
    tell({ error: String(error) });
    process.exit(1);
  });
  sessions.push(session);
}

if (job.mode === 'separate') {
  open('receiver', () => open('transmitter', send));
} else {
  open('transceiver', send);
}
