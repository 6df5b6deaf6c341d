"""The starter questions that a new database is filled with, one JSON file a topic."""
