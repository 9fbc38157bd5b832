"""The table of commands: one line per noun, in the order of the help."""

from dataclasses import dataclass

from kiemke.cli.i18n import N_


@dataclass(frozen=True, slots=True)
class Entry:
    """A command of the root: its name, unaccented Vietnamese alias, where it lives, one sentence."""

    name: str
    alias: str | None
    module: str
    attribute: str
    sentence: str


COMMANDS = (
    Entry("login", "dang-nhap", "signing", "login", N_("Sign in to a server and pin its root.")),
    Entry("logout", "dang-xuat", "signing", "logout", N_("Sign out of this machine.")),
    Entry("me", "toi", "signing", "me", N_("Who is signed in, where, and as what.")),
    Entry("totp", "hai-buoc", "totp", "totp", N_("Sign in by two steps.")),
    Entry("search", "tim", "search", "search", N_("Find anything by name or number on a sticker.")),
    Entry("unit", "don-vi", "unit", "unit", N_("Units: departments, communes, districts.")),
    Entry("place", "noi", "place", "place", N_("One-stop desks, meeting rooms, server rooms.")),
    Entry("official", "can-bo", "official", "official", N_("Officials and their posts.")),
    Entry("asset", "tai-san", "asset", "asset", N_("Assets on the book and who holds them.")),
    Entry("count", "kiem-ke", "count", "count", N_("Stock-takes: the book against what is there.")),
    Entry("machine", "may", "machine", "machine", N_("PCs as the agents see them.")),
    Entry("software", "phan-mem", "software", "software", N_("Programs on the machines, by name.")),
    Entry("match", "ghep", "match", "match", N_("Which seen machine is which asset.")),
    Entry("reconcile", "doi-chieu", "reconcile", "reconcile", N_("The book against what is seen.")),
    Entry("device", "thiet-bi", "device", "device", N_("Network devices and their interfaces.")),
    Entry("topology", "so-do-mang", "topology", "topology", N_("What is connected to what.")),
    Entry("where", "o-dau", "topology", "where", N_("On which switch port something is.")),
    Entry("link", "duong-truyen", "link", "link", N_("Lines: contract, load and health.")),
    Entry("site", "co-so", "site", "site", N_("The networks of units.")),
    Entry("secret", "bi-mat", "secret", "secret", N_("Communities, keys and passwords.")),
    Entry("source", "nguon", "source", "source", N_("Agents and collectors that report.")),
    Entry("update", "cap-nhat", "update", "update", N_("Signed releases of the agent.")),
    Entry("coverage", "ty-le", "coverage", "coverage", N_("Who has a PC, and what proves it.")),
    Entry(
        "thieu-may",
        None,
        "coverage",
        "who_alias",
        N_("Who lacks a PC (coverage who --state no_pc)."),
    ),
    Entry(
        "norm", "dinh-muc", "norm", "norm", N_("What the norms allow each post, and what is there.")
    ),
    Entry(
        "indicator",
        "chi-tieu",
        "indicator",
        "indicator",
        N_("Figures no machine measures, and their targets."),
    ),
    Entry("rule", "quy-tac", "rule", "rule", N_("Rules by date: profiles, checklists, norms.")),
    Entry("wear", "hao-mon", "wear", "wear", N_("The yearly wear of fixed assets.")),
    Entry("finding", "phat-hien", "finding", "finding", N_("What the system found amiss.")),
    Entry("template", "mau", "template", "template", N_("Write an empty import table.")),
    Entry("import", "nhap", "imports", "import_", N_("Check a filled table and take it in.")),
    Entry(
        "import-map", "ban-do-cot", "import_map", "import_map", N_("Column maps kept of imports.")
    ),
    Entry("export", "xuat", "export", "export", N_("Write a report to a file for auditors.")),
    Entry("approve", "duyet", "approve", "approve", N_("What waits for a second person.")),
    Entry("audit", "nhat-ky", "audit", "audit", N_("Who changed what, and by which paper.")),
    Entry("user", "nguoi-dung", "user", "user", N_("Who may sign in.")),
    Entry("token", "khoa", "token", "token", N_("Access tokens for programs and Prometheus.")),
    Entry("doctor", "kham", "doctor", "doctor", N_("Check connection, clock, rights, sources.")),
)
