"""pairquiz-server: the realtime backend for two-player quiz duels."""

__version__ = "0.1.0"
