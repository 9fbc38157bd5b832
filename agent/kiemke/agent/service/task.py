"""The scheduled task that installs releases on Windows: the system's account, once an hour, no longer than an hour.

Source: the schema of Task Scheduler 1.2 ([MS-TSCH] 2.5); schtasks.exe.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from kiemke.wire.windows_service.folders import system_program

TASK_NAME = "kiemke-agent-update"
LOCAL_SYSTEM = "S-1-5-18"
DEADLINE_SECONDS = 60.0

TASK = """<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Installs signed releases of the kiemke agent. It opens no connection.</Description>
  </RegistrationInfo>
  <Triggers>
    <TimeTrigger>
      <Repetition><Interval>PT1H</Interval></Repetition>
      <StartBoundary>2020-01-01T00:00:00</StartBoundary>
      <RandomDelay>PT30M</RandomDelay>
    </TimeTrigger>
    <BootTrigger><Delay>PT5M</Delay></BootTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>{account}</UserId>
      <RunLevel>HighestAvailable</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT1H</ExecutionTimeLimit>
    <Priority>8</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{program}</Command>
      <Arguments>-m kiemke.agent.main update apply --state "{state}"</Arguments>
    </Exec>
  </Actions>
</Task>
"""


def task_xml(program: Path, state: Path) -> str:
    """Return the task's definition."""
    return TASK.format(account=LOCAL_SYSTEM, program=escape(str(program)), state=escape(str(state)))


def register(
    program: Path, state: Path, updater: Path, scheduler: Sequence[str] | None = None
) -> None:
    """Make the task, or make it anew, to run ``program``. Raises OSError.

    Its definition is written into the updater's folder: in a common folder for temporary files somebody
    else could change it before it is read. ``scheduler`` is Windows' schtasks by default.
    """
    command = tuple(scheduler) if scheduler else (system_program("schtasks"),)
    updater.mkdir(parents=True, exist_ok=True)
    file = updater / "task.xml"
    try:
        file.write_text(task_xml(program, state), "utf-16")
        done = _run([*command, "/Create", "/F", "/TN", TASK_NAME, "/XML", str(file)])
    finally:
        file.unlink(missing_ok=True)
    if done.returncode:
        raise OSError(f"schtasks: {(done.stderr or done.stdout).strip()[-300:]}")


def unregister(scheduler: Sequence[str] | None = None) -> None:
    """Take the task away; one that is not there is well. Raises OSError."""
    command = tuple(scheduler) if scheduler else (system_program("schtasks"),)
    if _run([*command, "/Query", "/TN", TASK_NAME]).returncode:
        return
    done = _run([*command, "/Delete", "/F", "/TN", TASK_NAME])
    if done.returncode:
        raise OSError(f"schtasks: {(done.stderr or done.stdout).strip()[-300:]}")


def _run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """Return what schtasks answered. Raises OSError."""
    try:
        return subprocess.run(  # noqa: S603 - Windows' own program, words of ours
            command, capture_output=True, text=True, errors="replace", check=False,
            timeout=DEADLINE_SECONDS, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as err:
        raise OSError("schtasks does not answer") from err
