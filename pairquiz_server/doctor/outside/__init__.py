"""A look at a server that is deployed, by the way that its clients go."""
