"""JSON ↔ commands and events. Nothing else knows a JSON shape.

Three tables are the contract, and the server works by them: `commands` has a row for each command, `events.table` for
each event, `rest` for each route. `payloads` are what clients send, `events` what they receive, `fields` what the
keys of both mean; `views` and `records` make what is sent. `frames` are the Socket.IO packets around it, and `asking`
reads which command a packet asks for. What is generated of it is in `pairquiz_server.contract`.
"""
