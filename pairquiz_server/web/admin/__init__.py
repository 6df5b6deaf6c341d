"""What the operator asks of a server that runs: by a socket of this machine, or by the token."""
