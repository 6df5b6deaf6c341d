"""JSON ↔ commands and events. Nothing else knows a JSON shape.

`commands` has a row for each command, `payloads` what clients send, `views` what they receive, `frames` the
Socket.IO packets around both, and `asking` reads which command a packet asks for.
"""

from pairquiz_server.protocol.commands import COMMANDS

PROTOCOL_VERSION = 1

__all__ = ["COMMANDS", "PROTOCOL_VERSION"]
