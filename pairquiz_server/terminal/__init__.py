"""A duel in a terminal: on a screen, as plain lines, or as JSON for a script."""
