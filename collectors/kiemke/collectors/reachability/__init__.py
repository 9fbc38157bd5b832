"""Probes that ask whether a target answers at all."""
