// node centre.js '{"answer_ids": "dec", "receipt_ids": "dec", "receipt_form": "both", "key": PEM, "cert": PEM}'
//
// node-smpp as a message centre on 127.0.0.1. Tells what it sees as JSON lines, takes {"deliver": {...}} on its input
// and ends with it. Numbers ending in 9 are refused, in 8 throttled once; ending in 7 they are never delivered.
'use strict';
const fs = require('fs');
const readline = require('readline');
const { smpp, tell, readMessage, makeMessage } = require('./wire');

const options = JSON.parse(process.argv[2] || '{}');
const receivers = [];
const throttled = new Set();
let taken = 0;

const writeId = (number, base) => (base === 'hex' ? number.toString(16).toUpperCase() : String(number));

function sendReceipt(pdu, number) {
  const id = writeId(number, options.receipt_ids);
  const failed = pdu.destination_addr.endsWith('7');
  const receipt = {
    source_addr: pdu.destination_addr,
    source_addr_ton: 1,
    destination_addr: pdu.source_addr,
    esm_class: 4,
    data_coding: 0,
  };
  if (options.receipt_form !== 'tlv') {
    receipt.short_message = `id:${id} sub:001 dlvrd:${failed ? '000' : '001'} submit date:2611221200 ` +
      `done date:2611221201 stat:${failed ? 'UNDELIV' : 'DELIVRD'} err:${failed ? '001' : '000'} text:`;
  }
  if (options.receipt_form !== 'text') {
    receipt.receipted_message_id = id;
    receipt.message_state = failed ? 5 : 2;
  }
  if (receivers.length) {
    receivers[0].deliver_sm(receipt, (answer) => tell({ receipt_answer: answer.command_status }));
  }
}

function takeSubmit(session, pdu) {
  tell({ submit: readMessage(pdu) });
  const to = pdu.destination_addr;
  if (to.endsWith('9')) {
    session.send(pdu.response({ command_status: smpp.ESME_RINVDSTADR }));
    return;
  }
  if (to.endsWith('8') && !throttled.has(to)) {
    throttled.add(to);
    session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
    return;
  }
  taken += 1;
  const number = 100000 + taken;
  session.send(pdu.response({ message_id: writeId(number, options.answer_ids) }));
  if (pdu.registered_delivery & 1) {
    setTimeout(sendReceipt, 5, pdu, number);
  }
}

function serve(session) {
  const bind = (mode) => (pdu) => {
    if (pdu.password !== 'secret') {
      session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }));
      session.close();
      return;
    }
    tell({ bind: mode });
    session.send(pdu.response({ system_id: 'NODE' }));
    if (mode !== 'transmitter') receivers.push(session);
  };
  session.on('bind_transceiver', bind('transceiver'));
  session.on('bind_transmitter', bind('transmitter'));
  session.on('bind_receiver', bind('receiver'));
  session.on('submit_sm', (pdu) => takeSubmit(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  const forget = () => {
    const at = receivers.indexOf(session);
    if (at >= 0) receivers.splice(at, 1);
  };
  session.on('close', forget);
  session.on('error', (error) => {
    tell({ error: String(error) });
    forget();
    session.destroy();
  });
}

const tls = options.key ? { key: fs.readFileSync(options.key), cert: fs.readFileSync(options.cert) } : {};
const server = smpp.createServer(tls, serve);
server.listen(0, '127.0.0.1', () => tell({ port: server.address().port }));

const input = readline.createInterface({ input: process.stdin });
input.on('line', (line) => {
  const order = JSON.parse(line);
  receivers[0].deliver_sm(makeMessage(order.deliver), (answer) => tell({ inbound_answer: answer.command_status }));
});
input.on('close', () => process.exit(0));
