"""Reports: table definitions with their row sources. Add one: a file here and a line in REPORTS."""

from kiemke.server.domain.tables import Report
from kiemke.server.reports.desks import DESKS
from kiemke.server.reports.equipment import EQUIPMENT
from kiemke.server.reports.link_days import LINK_DAYS
from kiemke.server.reports.links import LINKS
from kiemke.server.reports.norms import NORMS
from kiemke.server.reports.officials_coverage import OFFICIALS_COVERAGE
from kiemke.server.reports.presence import PRESENCE
from kiemke.server.reports.reconciliation import RECONCILIATION
from kiemke.server.reports.wear import WEAR

REPORTS: dict[str, Report] = {
    report.name: report
    for report in (
        EQUIPMENT,
        OFFICIALS_COVERAGE,
        LINKS,
        LINK_DAYS,
        NORMS,
        WEAR,
        RECONCILIATION,
        PRESENCE,
        DESKS,
    )
}
