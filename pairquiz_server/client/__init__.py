"""A player at a server, as any client is one: over python-socketio, by nothing but what the wire tells.

It sends again what was not acknowledged, comes back by itself, and knows the server's clock.
"""
