"""The REST resources, one file per noun. RESOURCES is the list: a new noun is a file and a line."""

from kiemke.server.resources import (
    assets,
    assignment,
    audit,
    coverage,
    devices,
    enrolment,
    exports,
    findings,
    imports,
    links,
    machines,
    officials,
    openapi,
    reorganisations,
    session,
    sources,
    system,
    units,
    users,
)

RESOURCES = (
    system,
    openapi,
    session,
    units,
    reorganisations,
    officials,
    assets,
    machines,
    devices,
    links,
    coverage,
    sources,
    enrolment,
    assignment,
    findings,
    imports,
    exports,
    audit,
    users,
)

HANDLERS = tuple(handler for resource in RESOURCES for handler in resource.HANDLERS)
