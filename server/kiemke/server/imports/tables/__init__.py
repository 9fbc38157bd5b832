"""One file per import template: how its rows meet the database."""
