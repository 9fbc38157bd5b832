"""Metrics: this process's own and the fleet's, as Prometheus reads them."""
