"""The agent's own renewal: a signed release is fetched without rights and installed by a one-shot with them."""
