"""The `pairquiz-server` command, one file a subcommand."""
