"""What stands on a site's network: neighbours, stations and addresses of devices, and sweeps."""
