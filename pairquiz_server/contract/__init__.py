"""The contract as others read it: generated of the tables and structs of `pairquiz_server.protocol` alone.

`schemas` makes JSON Schema of the structs; `openapi`, `asyncapi`, `typescript` and `reference` are written of that, and
`surface` and `changes` tell what of it an older client would not understand.
"""
