"""Many pairs that play at a rate, and hold the server to what it promises."""
