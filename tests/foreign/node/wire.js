// What the centre and the client share: raw octets beside what node-smpp reads, and JSON lines.
'use strict';
const smpp = require('smpp');

// node-smpp replaces the octets by its reading of them; keep both.
const decode = smpp.filters.message.decode;
smpp.filters.message.decode = function (value, skipUdh) {
  if (Buffer.isBuffer(value) && value.length) {
    Object.defineProperty(this, 'octets', { value: value.toString('hex'), enumerable: false, writable: true });
  }
  return decode.call(this, value, skipUdh);
};

function tell(line) {
  process.stdout.write(JSON.stringify(line) + '\n');
}

function readMessage(pdu) {
  const body = [pdu.short_message, pdu.message_payload].find((b) => b && b.message && b.message.length);
  const read = body ? body.message : '';
  return {
    from: pdu.source_addr,
    from_ton: pdu.source_addr_ton,
    from_npi: pdu.source_addr_npi,
    to: pdu.destination_addr,
    to_ton: pdu.dest_addr_ton,
    to_npi: pdu.dest_addr_npi,
    octets: pdu.octets || '',
    text: typeof read === 'string' ? read : null,
    data_coding: pdu.data_coding,
    esm_class: pdu.esm_class,
    registered_delivery: pdu.registered_delivery,
    validity: pdu.validity_period ? String(pdu.validity_period) : '',
    sar: pdu.sar_total_segments
      ? [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum]
      : null,
    receipt_id: pdu.receipted_message_id || '',
    state: pdu.message_state || 0,
  };
}

function makeMessage(order) {
  const fields = {
    source_addr: order.from,
    source_addr_ton: /^[0-9]+$/.test(order.from) ? 1 : 5,
    destination_addr: order.to,
    dest_addr_ton: 1,
    dest_addr_npi: 1,
    esm_class: order.esm_class || 0,
    registered_delivery: order.receipt === false ? 0 : 1,
    data_coding: order.data_coding === undefined ? null : order.data_coding,
  };
  const body = order.octets === undefined ? order.text : Buffer.from(order.octets, 'hex');
  if (order.payload) {
    fields.message_payload = { message: body };
  } else {
    fields.short_message = body;
  }
  if (order.sar) {
    [fields.sar_msg_ref_num, fields.sar_total_segments, fields.sar_segment_seqnum] = order.sar;
  }
  return fields;
}

module.exports = { smpp, tell, readMessage, makeMessage };
