"""What can go wrong, said as what, where and what to do.

KiemkeError (exit 1)
  ServerProblem       the server refused; carries its problem+json
  NotAllowed (3)      not signed in, or this role may not
  Ambiguous (2)       a name that fits several things
"""

from collections.abc import Sequence

from kiemke.cli.i18n import _


class KiemkeError(Exception):
    """An error the user can act on. Texts are already in the user's language."""

    exit_code = 1

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        super().__init__(what)
        self.what, self.where, self.remedy = what, where, remedy

    def lines(self) -> list[str]:
        """Return the sentences to print, raw: the printer makes them inert."""
        # The words stand outside the f-string: the catalogue's reader does not look into one.
        error, where, remedy = _("Error"), _("Where"), _("What to do")
        found = [f"{error}: {self.what}"]
        if self.where:
            found.append(f"{where}: {self.where}")
        if self.remedy:
            found.append(f"{remedy}: {self.remedy}")
        return found


class ServerProblem(KiemkeError):
    """The server answered with a problem; ``status`` is its HTTP status."""

    def __init__(self, status: int, what: str, *, where: str, remedy: str | None) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.status = status


class NotAllowed(ServerProblem):
    """Not signed in, or the role is not enough (401, 403)."""

    exit_code = 3


class NotSignedIn(KiemkeError):
    """There is no session on this machine."""

    exit_code = 3

    def __init__(self) -> None:
        super().__init__(
            _("you are not signed in"), remedy=_("kiemke login https://SERVER:8443 NAME")
        )


class Ambiguous(KiemkeError):
    """A reference that fits several things; the candidates are listed."""

    exit_code = 2

    def __init__(self, reference: str, candidates: Sequence[str], more: int) -> None:
        super().__init__(
            _("“{reference}” fits {count} things").format(
                reference=reference, count=len(candidates) + more
            ),
            remedy=_("name it by its code, or by more of its name"),
        )
        self.candidates, self.more = tuple(candidates), more

    def lines(self) -> list[str]:
        """Return the sentences with the candidates between them."""
        head, *rest = super().lines()
        listed = [f"  {name}" for name in self.candidates]
        if self.more:
            listed.append("  " + _("… and {count} more").format(count=self.more))
        return [head, *listed, *rest]
