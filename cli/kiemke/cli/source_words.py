"""The words of what sources tell of themselves, for ``words``."""

from collections.abc import Mapping

from kiemke.cli.i18n import N_

SOURCE_VOCABULARIES: Mapping[str, Mapping[str, str]] = {
    "section_status": {
        "absent": N_("not there"),
        "failed": N_("could not be read"),
        "timeout": N_("did not answer in time"),
        "denied": N_("no rights to read it"),
    },
    # What an event tells, keys and values alike; others are shown as the source said them.
    "source_event_told": {
        "previous_end": N_("the time before ended"),
        "clean": N_("in order"),
        "unclean": N_("without being shut down"),
        "unknown": N_("not known"),
        "cause": N_("with"),
        "machine": N_("the machine"),
        "service": N_("its service alone"),
        "asleep_seconds": N_("seconds asleep"),
        "adapter": N_("network card"),
        "link": N_("plug"),
        "up": N_("in"),
        "down": N_("out"),
        "before_bits_per_second": N_("bit/s before"),
        "now_bits_per_second": N_("bit/s now"),
        "before_duplex": N_("duplex before"),
        "now_duplex": N_("duplex now"),
        "reason": N_("because"),
        "detail": N_("in detail"),
        "broken": N_("its file was damaged"),
        "disk full": N_("its disk was full"),
        "refused": N_("refused"),
        "stream": N_("stream"),
        "first_seq": N_("from report"),
        "last_seq": N_("to report"),
        "reports": N_("reports"),
        "outcome": N_("outcome"),
        "installed": N_("installed"),
        "rolled_back": N_("taken back"),
        "version": N_("version"),
        "from": N_("from"),
        "processor_ratio": N_("part of a processor"),
        "allowed_ratio": N_("allowed part"),
        "resident_bytes": N_("bytes of memory"),
        "slowed_by": N_("less often by"),
        "copied_from": N_("copy of"),
    },
    "source_event": {
        "boot": N_("switched on"),
        "shutdown": N_("ended"),
        "resume": N_("woke up"),
        "link_speed": N_("network plug or its speed"),
        "budget": N_("own cost"),
        "identity": N_("copied disk"),
        "outbox": N_("reports lost"),
        "update": N_("release"),
    },
}
