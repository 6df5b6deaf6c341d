"""The thin edge: HTTP and sockets in, encoded answers out."""
