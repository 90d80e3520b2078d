"""This project, the bare engine and other tools on the same studies, in turn; prints tables and writes a JSON file."""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.output import print_machine
from benchmarks.peers import cases, report, runners
from benchmarks.peers.environments import PEERS, Environment, engine_folder, install
from benchmarks.peers.measure import Measurement, adopt_orphans
from benchmarks.peers.results import Row, check_equal
from epsm_local.energyplus import system_libraries

_VARIANTS = (20, 6, 2)


def main() -> None:
    """Read the command line and compare."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    sizes = list(cases.MODELS)
    parser.add_argument("--sizes", nargs="+", choices=sizes, default=sizes, help="models; default: all")
    parser.add_argument("--variants", type=int, nargs="+", help="of each of them; default: 20, 6 and 2")
    parser.add_argument("--rounds", type=int, default=2, help="of all runners, in another order each time")
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS), help="default: all")
    parser.add_argument("--json", type=Path, default=Path("peers.json"), help="file for all measurements")
    chosen = parser.parse_args()
    defaults = dict(zip(sizes, _VARIANTS, strict=True))
    variants = chosen.variants or [defaults[size] for size in chosen.sizes]
    if len(variants) != len(chosen.sizes) or min(variants) < 2 or chosen.rounds < 1:
        parser.error("--variants needs a number, at least 2, for each of --sizes; --rounds at least 1")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the stack that is running is ended on the way
    adopt_orphans()
    system_libraries.prepare()
    # As for a user, Python keeps the bytecode of what it imports; the first study, of each installation, writes it.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    places = os.cpu_count() or 1
    print_machine()
    environments = _installed(chosen.peers)
    documents = []
    with tempfile.TemporaryDirectory(prefix="epsm-peers-") as name:
        first = cases.make("one-zone", Path(name) / "first", 2, 0, places, engine_folder()).with_meters()
        for place, runner in enumerate(_runners(environments)):
            runners.run(runner, first, Path(name) / f"first-{place}")
        for size, number in zip(chosen.sizes, variants, strict=True):
            rounds = _rounds(size, Path(name) / size, number, chosen.rounds, environments)
            report.show(size, rounds, number, places)
            documents.append(report.document(size, rounds, number))
    machine = {"cores": places, "system": platform.platform(), "python": platform.python_version()}
    peers = {found.name: {"version": found.version, "environment_mb": found.size_mb} for found in environments}
    content = {"finished": datetime.now(UTC).isoformat(), "machine": machine, "peers": peers, "models": documents}
    chosen.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"All measurements: {chosen.json}")


def _installed(names: Sequence[str]) -> list[Environment]:
    """The peers that can be installed; it says which cannot."""
    found = []
    for name in names:
        try:
            found.append(install(name))
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{name} {PEERS[name]} cannot be installed and is left out: {error}\n")
    return found


def _runners(environments: Sequence[Environment]) -> list[runners.Runner]:
    return [
        runners.bare(runners.BARE_OWNER, "owner"),
        runners.project_running,
        runners.bare(runners.BARE_EDITED, "edited"),
        *map(runners.peer, environments),
        runners.project_cold,
    ]


def _rounds(
    size: str, folder: Path, variants: int, count: int, environments: Sequence[Environment]
) -> list[dict[str, Measurement]]:
    """Measure every runner in each round, from another one on each time.

    Raises:
        Disagreement: If two runners have different results.
    """
    order = _runners(environments)
    rounds: list[dict[str, Measurement]] = []
    for number in range(count):
        case = cases.make(size, folder / str(number), variants, number, os.cpu_count() or 1, engine_folder())
        # The run of the baseline also reads the engine's files into the page cache before anything is measured.
        case = case.with_meters()
        first = number * len(order) // count
        measured: dict[str, Measurement] = {}
        tables: dict[str, list[Row]] = {}
        for place, runner in enumerate([*order[first:], *order[:first]]):
            for outcome in runners.run(runner, case, folder / f"{number}-{place}"):
                measured[outcome.runner], tables[outcome.runner] = outcome.measured, outcome.table
                print(
                    f"  {size}, round {number + 1}: {outcome.runner}, {outcome.measured.wall_seconds:.2f} s", flush=True
                )
        # Those of the bare engine on the owner's files are what the others are compared with.
        check_equal({runners.BARE_OWNER: tables.pop(runners.BARE_OWNER), **tables})
        rounds.append({name: measured[name] for name in (rounds[0] if rounds else measured)})
    print()
    return rounds


if __name__ == "__main__":
    main()
