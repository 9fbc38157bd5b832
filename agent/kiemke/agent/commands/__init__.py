"""The agent's commands, one file each; loaded only when asked for, to keep the start light."""
