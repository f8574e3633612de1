"""Frames of HTTP/2 by hand (RFC 9113 section 4.1), for clients and servers that no library would be."""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def varint(n):
    out = b""
    while n >= 128:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def fields(*pairs):
    """HPACK, literals only (RFC 7541 section 6.2.2)."""
    out = b""
    for name, value in pairs:
        out += b"\0" + bytes([len(name)]) + name + (bytes([len(value)]) if len(value) < 127 else
                                                   b"\x7f" + varint(len(value) - 127)) + value
    return out
