"""What the agent, the collector and the server say to each other: reports, codec, client, outbox."""

__version__ = "0.1.0"
