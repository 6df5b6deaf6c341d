"""A real duel from outside, now and then: what a monitor wants to know of a server."""
