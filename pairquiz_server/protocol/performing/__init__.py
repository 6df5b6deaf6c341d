"""What is done with each command: a function a command, which gets the game, the sender and the payload.

Each replies once: before it returns, or when what it has submitted is settled.
"""
