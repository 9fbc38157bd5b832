"""SSH: facts and configurations of network gear, by read-only commands from a fixed list."""
