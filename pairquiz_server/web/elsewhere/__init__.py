"""The other nodes: what this one tells them, what it knows of them, and the way between them."""
