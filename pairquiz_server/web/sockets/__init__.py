"""Socket.IO sessions, whatever carries them: who comes and goes, what they ask, what waits to be sent."""
