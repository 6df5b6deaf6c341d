"""The HTTP routes beside the sockets."""
