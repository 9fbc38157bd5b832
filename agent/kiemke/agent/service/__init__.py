"""The agent under a service manager: systemd's unit, and what Windows' manager wants."""
