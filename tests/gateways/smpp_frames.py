"""What was written to a socket, PDU by PDU."""

from gateways.adapters.smpp import pdu


def split_frames(octets: bytes) -> list[bytes]:
    """The PDUs that a stream is made of; PduError or AssertionError if it is not made of whole ones."""
    frames, at = [], 0
    while at < len(octets):
        length = int.from_bytes(octets[at : at + 4], "big")
        pdu.check_length(length)
        frames.append(octets[at : at + length])
        at += length
    assert at == len(octets)
    return frames
