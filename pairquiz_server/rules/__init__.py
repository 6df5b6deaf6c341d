"""The game itself: frozen values and pure decisions. No I/O, no clock, no randomness of its own."""
