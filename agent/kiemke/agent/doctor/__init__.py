"""Checks of everything that can keep an agent from reporting, each with what to do."""
