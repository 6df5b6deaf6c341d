"""What is wrong with a server, and the command that mends it: looked at from beside it, and from outside.

A look never changes what it looks at, says what it has found in one line, and shows no secret.
"""
