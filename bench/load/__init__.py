"""The load generator (in C, because it has to cost less than the servers), as Python starts it."""
