"""PostgreSQL, and only here: one module for each file of sql/queries."""
