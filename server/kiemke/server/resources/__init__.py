"""The REST resources, one file per noun. RESOURCES is the list: a new noun is a file and a line."""

from kiemke.server.resources import openapi, session, system

RESOURCES = (system, session, openapi)

HANDLERS = tuple(handler for resource in RESOURCES for handler in resource.HANDLERS)
