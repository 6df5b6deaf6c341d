"""Frames that no stock client sends: `BAD` cannot be read or are refused, `READABLE` get their answer, or none.

The same tables serve for websockets and polls, and the fuzzer begins with them.
"""

import json

DEEP = "[" * 10_000
BAD = {
    "empty": "",
    "Engine.IO open": '0{"sid":"x"}',
    "Engine.IO ping": "2",
    "Engine.IO ping with deep JSON": "2" + DEEP,
    "Engine.IO pong with deep JSON": "3" + DEEP,
    "Engine.IO noop": "6",
    "Engine.IO unknown type": "7",
    "Engine.IO base64": "bAAAA",
    "no digit": "x",
    "another script's digit": "٤2[]",
    "empty message": "4",
    "message of JSON": '4{"a":1}',
    "message of a JSON text": '4"2[\\"sync_clock\\",{}]"',
    "message of deep JSON": "4" + DEEP,
    "message of null": "4null",
    "message of NaN": "4NaN",
    "message of a number": "4-5",
    "second CONNECT": "40",
    "CONNECT of another namespace": "40/admin,",
    "DISCONNECT of another namespace": "41/admin,",
    "DISCONNECT with data": "41[]",
    "event of another namespace": '42/admin,["sync_clock",{}]',
    "event without a list": "42",
    "event with an object": '42{"a":1}',
    "event of an empty list": "42[]",
    "event whose name is a number": "42[1]",
    "event whose name is null": "42[null,{}]",
    "event, truncated": '42["sync_clock",{"client_time":',
    "event and more": '42["sync_clock",{}]x',
    "event with deep JSON": f'42["sync_clock",{DEEP}{DEEP.replace("[", "]")}]',
    "event with too many digits": f'42{"1" * 16}["sync_clock",{{}}]',
    "event with a negative ack": '42-1["sync_clock",{}]',
    "event with NaN": '42["sync_clock",NaN]',
    "CONNECT_ERROR": '44{"message":"x"}',
    "BINARY_EVENT": '451-["sync_clock",{"_placeholder":true,"num":0}]',
    "BINARY_ACK": '461-1[{"_placeholder":true,"num":0}]',
    "unknown Socket.IO type": "47[]",
    "event of the main namespace by name": '42/,["sync_clock",{}]',
    "event of a namespace with a query": '42/admin?x=1,["sync_clock",{}]',
    "event of a namespace without a comma": '42/admin["sync_clock",{}]',
    "event of a namespace and an ack": '42/admin,7["sync_clock",{}]',
    "acknowledgement of another namespace": "43/admin,7[]",
    "CONNECT of the main namespace by name": "40/,{}",
    "CONNECT with deep JSON": "40" + DEEP,
    "DISCONNECT and more": "41 ",
    "event of a text": '42"sync_clock"',
    "event of a number": "42[7.5e999]",
    "event with a space before": '42 ["sync_clock",{}]',
    "event with a trailing comma": '42["sync_clock",{},]',
    "event with an infinity": '42["sync_clock",{"client_time":-Infinity}]',
    "event with a hexadecimal number": '42["sync_clock",{"client_time":0x10}]',
    "event with a raw control character": '42["sync_clock",{"x":"\n"}]',
    "event with half an escape": '42["sync_clock",{"x":"\\ud8"}]',
    "event with deep objects": '42["sync_clock",' + '{"a":' * 4_000 + "0" + "}" * 4_000 + "]",
    "event with a NUL": '42\x00["sync_clock",{}]',
    "event with a byte order mark": '42\ufeff["sync_clock",{}]',
    "event with a comment": '42["sync_clock",/**/{}]',
    "event with single quotes": "42['sync_clock',{}]",
    "BINARY_EVENT of a huge count": '4599999999999-["sync_clock",{"_placeholder":true,"num":0}]',
    "BINARY_EVENT without a count": '45["sync_clock",{}]',
    "BINARY_ACK of a huge count": "4699999999999-7[]",
    "Engine.IO ping with a probe and more": "2probes",
    "Engine.IO upgrade with data": "5x",
    "Engine.IO close with data": "1x",
    "Engine.IO pong with data": "3probe",
    "Engine.IO binary, base64 of nothing": "b",
    "binary": b"\x04\x00",
    "empty binary": b"",
}

EVENT = '421["submit_answer",{"session_id":"x","question_id":1,"answer":0}]'
BAD |= {f"event, cut after {EVENT[:length]}": EVENT[:length] for length in range(2, len(EVENT), 7)}
BAD |= {f"Socket.IO type {kind}": f'4{kind}["sync_clock",{{}}]' for kind in "156789"}
BAD |= {f"Engine.IO type {kind}": f'{kind}2["sync_clock",{{}}]' for kind in "012356789b"}

HUGE = ("9" * 400, "-1e400", "1e-400", "1e999999999", str(2**64), str(-(2**63) - 1), "0." + "3" * 10_000)
"""Numbers that are JSON, and that hardly any column or float can hold."""
RESERVED = ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener", "error", "*",
            "message", "ping", "__proto__", "constructor", "__class__", "_command")  # fmt: skip
"""Names of events that mean something to some library or language, and nothing here."""
FORGED = ("welcome", "quiz_results", "quiz_started", "answer_submitted", "opponent_left", "server_draining")
"""Names of events that only the server sends."""

READABLE = {
    "unknown name": '42["nothing such",{}]',
    "empty name": '42["",{}]',
    "payload of a number": '42["sync_clock",7]',
    "half a surrogate pair": '42["\\ud800",{}]',
    "no payload": '42["sync_clock"]',
    "three payloads": '42["sync_clock",{},{},{}]',
    "a placeholder without its bytes": '42["sync_clock",{"_placeholder":true,"num":0}]',
    "a payload of a list": '42["submit_answer",[1,2,3]]',
    "the same key twice": '42["sync_clock",{"client_time":1,"client_time":2}]',
    "a key of every object in JavaScript": '42["sync_clock",{"__proto__":{"admin":true},"constructor":1}]',
    "an acknowledgement without a number": "43",
    "an acknowledgement that nobody asked for": "431[]",
    "an acknowledgement of a text": '439"x"',
    "an acknowledgement of deep JSON": "43" + DEEP,
    "an acknowledgement of a huge number": "43" + "9" * 400 + "[]",
    "a pong that nobody asked for": "3",
    **{f"the reserved event {name}": f"42{json.dumps([name, {}])}" for name in RESERVED},
    **{f"the server's event {name}": f"42{json.dumps([name, {'session_id': 'x'}])}" for name in FORGED},
    **{f"a number {number[:12]}": f'42["sync_clock",{{"client_time":{number}}}]' for number in HUGE},
}
"""What can be read never counts as a bad frame."""
