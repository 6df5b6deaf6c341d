"""What happens, in which order: the committer, the sweeper, the clock."""
