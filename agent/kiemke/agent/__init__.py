"""The agent: it counts one machine and tells the server, outbound only."""
