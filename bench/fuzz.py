"""Throws spoiled bytes at the agent's decoders: no crash, no hang (`python -m bench.fuzz --inputs 1000000`).

Each input is a good example with bytes flipped, cut, doubled or exchanged, or noise. A decoder may refuse
with its own error; any other exception, or one input that takes over a second of processor time, is a finding: it is
written to .cache/fuzz/ and the run ends with 1. With --atheris the coverage-guided fuzzer of that name
chooses the inputs, where it is installed.
"""

import argparse
import importlib
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from bench.fuzz_targets import EXPECTED, TARGETS, Target

ROOT = Path(__file__).resolve().parents[1]
FOUND = ROOT / ".cache" / "fuzz"
HANG_SECONDS = 1.0
MOST_BYTES = 4096
ODD = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)


class HangError(Exception):
    """One input took longer than HANG_SECONDS."""


def spoil(chance: random.Random, data: bytes) -> bytes:
    """Return the bytes with one to eight accidents."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(out) + 1)
        match chance.randrange(7):
            case 0 if out:
                out[at % len(out)] ^= 1 << chance.randrange(8)
            case 1 if out:
                out[at % len(out)] = chance.choice(ODD)
            case 2:
                del out[at:]
            case 3:
                del out[at : at + chance.randint(1, 16)]
            case 4:
                out[at:at] = chance.randbytes(chance.randint(1, 16))
            case 5:
                out[at:at] = out[at : at + chance.randint(1, 64)]
            case _ if out:
                out[at % len(out)] = chance.randrange(256)
    return bytes(out[:MOST_BYTES])


def try_one(
    target: Target, data: bytes, expected: tuple[type[Exception], ...] = EXPECTED
) -> BaseException | None:
    """Return what the decoder should not have raised, None when all is well."""
    try:
        target.decode(data)
    except expected:
        return None
    except Exception as err:  # noqa: BLE001 - any of them is what we look for
        return err
    return None


def main() -> int:
    """Throw the inputs; return 1 when one of them found something."""
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atheris", action="store_true", help="let atheris choose the inputs")
    options = parser.parse_args()
    if options.atheris:
        return _with_atheris(options.inputs, options.seed)
    chance = random.Random(options.seed)
    done: Counter[str] = Counter()
    slowest: dict[str, float] = {}
    found = 0
    signal.signal(signal.SIGVTALRM, _hang)
    began = time.perf_counter()
    while sum(done.values()) < options.inputs:
        target = chance.choices(TARGETS, [one.weight for one in TARGETS])[0]
        data = (
            spoil(chance, chance.choice(target.examples))
            if chance.random() < 0.95
            else chance.randbytes(chance.randrange(300))
        )
        signal.setitimer(signal.ITIMER_VIRTUAL, HANG_SECONDS)
        start = time.process_time()
        err = try_one(target, data)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        done[target.name] += 1
        slowest[target.name] = max(slowest.get(target.name, 0.0), time.process_time() - start)
        if err is not None:
            found += 1
            _keep(target, data, err)
    seconds = time.perf_counter() - began
    for name in sorted(done):
        print(f"{name:24s} {done[name]:9d} inputs, slowest {slowest[name] * 1e3:8.2f} ms")
    print(f"{sum(done.values())} inputs in {seconds:.0f} s (seed {options.seed}): {found} found")
    return 1 if found else 0


def _hang(number: int, frame: FrameType | None) -> None:
    raise HangError(f"over {HANG_SECONDS} s")


def _keep(target: Target, data: bytes, err: BaseException) -> None:
    """Write the input down, and say which it is."""
    FOUND.mkdir(parents=True, exist_ok=True)
    file = FOUND / f"{target.name}-{abs(hash(data)):x}.bin"
    file.write_bytes(data)
    print(f"FOUND {target.name}: {type(err).__name__}: {err} ({file.relative_to(ROOT)})")


def _with_atheris(inputs: int, seed: int) -> int:
    """Let atheris choose; the first byte of an input chooses the decoder. It ends the process itself.

    The decoders alone are instrumented, at their import: all that is loaded takes minutes.
    """
    import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]  # only where somebody installed it

    for name in [one for one in sys.modules if one.partition(".")[0] == "kiemke"]:
        del sys.modules[name]
    del sys.modules["bench.fuzz_targets"]
    with atheris.instrument_imports(include=["kiemke.agent.decode", "kiemke.agent.windows"]):
        anew = importlib.import_module("bench.fuzz_targets")
    targets: tuple[Target, ...] = anew.TARGETS

    def one(data: bytes) -> None:
        target = targets[data[0] % len(targets)] if data else targets[0]
        err = try_one(target, data[1:], anew.EXPECTED)
        if err is not None:
            _keep(target, data[1:], err)
            raise err

    words: list[Any] = [
        sys.argv[0],
        f"-runs={inputs}",
        f"-seed={seed}",
        "-timeout=2",
        f"-max_len={MOST_BYTES}",
    ]
    FOUND.mkdir(parents=True, exist_ok=True)
    examples = FOUND / "examples"
    examples.mkdir(exist_ok=True)
    for number, target in enumerate(targets):
        for index, example in enumerate(target.examples):
            (examples / f"{target.name}-{index}").write_bytes(bytes([number]) + example)
    run: Callable[[], None] = atheris.Fuzz
    atheris.Setup([*words, str(examples)], one)
    run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
