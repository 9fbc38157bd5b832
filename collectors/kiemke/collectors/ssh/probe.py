"""``kiemke-collector probe ssh``: one visit now, printed: facts, tables, the masked configuration."""

import dataclasses
import json
from typing import TextIO

from kiemke.collectors.ssh.hostkeys import HostKeys
from kiemke.collectors.ssh.login import Host, SshCredential
from kiemke.collectors.ssh.platform import FACTS, load_platform
from kiemke.collectors.ssh.read import Reading, SshReader
from kiemke.collectors.tongue import in_tongue, say
from kiemke.collectors.trace import Trace
from kiemke.wire.host_key import shown


async def probe_ssh(
    host: Host,
    platform_name: str,
    credential: SshCredential,
    keys: HostKeys,
    *,
    budget_seconds: float,
    as_json: bool,
    trace: Trace,
    out: TextIO,
) -> bool:
    """Visit one device and print what it gave; True when that was all of it. Raises ConfigError."""
    reader = SshReader(keys, trace, sessions=1)
    try:
        platform = load_platform(platform_name)
        found = await reader.read(platform, host, credential, budget_seconds)
    finally:
        reader.close()
    if as_json:
        said = {"host": host.address, "port": host.port, "platform": platform_name}
        print(json.dumps(said | dataclasses.asdict(found), ensure_ascii=False), file=out)
    else:
        _show(host, found, out)
    return found.outcome == "ok"


def _show(host: Host, found: Reading, out: TextIO) -> None:
    print(host.address, file=out)
    lines = {name: found.facts[name] for name in FACTS if name in found.facts}
    ports = found.tables.get("interfaces", [])
    if ports:
        up = sum(1 for port in ports if port.get("status", "").lower() in ("up", "connected"))
        lines["interfaces"] = f"{len(ports)}, {up} up"
    if found.tables.get("inventory"):
        lines["inventory"] = f"{len(found.tables['inventory'])} parts"
    if found.host_key:
        lines["host key"] = shown(found.host_key)
    if found.access is not None and found.access.may_configure is not None:
        lines["rights"] = "may configure" if found.access.may_configure else "reads only"
    if found.outcome != "ok":
        lines["trouble"] = f"{in_tongue(found.outcome)}: {in_tongue(found.detail or '')}"
    for name, value in lines.items():
        say(f"  {name:10} {value}", out)
    if found.config is not None:
        size = found.config.text.count("\n")
        say(f"  config     {size} lines, {found.config.count} secrets masked", out)
        print(f"\n{found.config.text}", file=out, end="")
