"""The websocket frames that a server sends (RFC 6455, section 5): never masked, never in parts, never compressed."""

TEXT = 0x81
CLOSE = 0x88
PING = 0x89
PONG = 0x8A
CONTROL_MAX = 125
"""Bytes that a PING, a PONG or a CLOSE may hold."""
_MESSAGE = b"4"
"""What Engine.IO puts before a packet of Socket.IO."""


def header(kind: int, size: int) -> bytes:
    """Return what stands before so many bytes."""
    if size < 126:
        return bytes((kind, size))
    if size < 1 << 16:
        return bytes((kind, 126)) + size.to_bytes(2, "big")
    return bytes((kind, 127)) + size.to_bytes(8, "big")


def close(code: int, reason: str) -> bytes:
    """Return the frame that closes."""
    data = code.to_bytes(2, "big") + reason.encode()[: CONTROL_MAX - 2]
    return header(CLOSE, len(data)) + data


def message_header(size: int) -> bytes:
    """Return what stands before a packet of Socket.IO of so many bytes."""
    return header(TEXT, size + 1) + _MESSAGE


READY_HEADERS = 4096
MESSAGE_HEADERS = tuple(map(message_header, range(READY_HEADERS)))
"""Ready for the sizes that are sent all the time."""
