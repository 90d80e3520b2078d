"""An executable that takes EnergyPlus's place: it writes what a real run wrote, spoilt in the way it is told.

It is started as the engine is, as a program of its own: the file `mode` beside it says how it ends.
"""

import shutil
import sys
from pathlib import Path

from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.model_editor import prepare
from epsm.study.schema import Study
from tests.conftest import study_document

_SCRIPT = """
import os, shutil, sqlite3, sys, time
from pathlib import Path

HERE = Path(__file__).parent
if "--version" in sys.argv:
    print("EnergyPlus, Version 25.2.0-fake, YMD=2026.11.27 10:00")
    sys.exit(0)
output = Path(sys.argv[sys.argv.index("--output-directory") + 1])
output.mkdir(exist_ok=True)  # as the engine does
mode = (HERE / "mode").read_text()
model = Path(sys.argv[-1]).read_text()
for line in (HERE / "modes").read_text().splitlines():
    needle, _, other = line.partition("\\t")
    mode = other if needle in model else mode
with (HERE / "runs").open("a") as runs:
    runs.write(mode + "\\n")


def copy(*names):
    for name in names or os.listdir(HERE / "golden"):
        shutil.copyfile(HERE / "golden" / name, output / name)


def say(text):
    with (output / "eplusout.err").open("a") as errors:
        errors.write(text + "\\n")


print("Starting Simulation at 01/01/2017 for RUNPERIOD 1", flush=True)
if mode == "hang":
    copy("eplusout.err", "eplusout.eio")
    time.sleep(60)
elif mode == "together":
    deadline = time.monotonic() + 60
    while len((HERE / "runs").read_text().splitlines()) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    if len((HERE / "runs").read_text().splitlines()) >= 2:
        copy()
elif mode == "huge":
    hoard = bytearray(os.urandom(1)) * (400 * 2**20)
    time.sleep(60)
elif mode == "crash":
    copy("eplusout.eio")
    say("   ** Severe  ** The zone has no air left")
    os.kill(os.getpid(), 11)
elif mode == "refused":
    say("   ** Severe  ** <root>[Zone] - no such zone")
    say("   **  Fatal  ** Errors occurred on processing input file.")
    (output / "eplusout.end").write_text("EnergyPlus Terminated--Fatal Error Detected. 0 Warning; 1 Severe Errors;")
    sys.exit(1)
elif mode == "fatal":
    copy("eplusout.eio", "eplusout.sql", "sqlite.err")
    say("   ** Severe  ** Temperature out of bounds")
    say("   **  Fatal  ** Program terminates due to preceding condition.")
    (output / "eplusout.end").write_text("EnergyPlus Terminated--Fatal Error Detected. 2 Warning; 1 Severe Errors;")
    sys.exit(1)
elif mode == "nothing":
    pass
else:
    copy()
    if mode == "severe":
        say("   ** Severe  ** Loads were not met")
        end = output / "eplusout.end"
        end.write_text(end.read_text().replace("0 Severe Errors", "1 Severe Errors"))
    if mode == "disk full":
        (output / "eplusout.end").write_text("")
    if mode == "damaged":
        (output / "eplusout.sql").write_bytes(b"SQLite format 3" + bytes(4096))
    if mode == "impossible":
        with sqlite3.connect(output / "eplusout.sql") as connection:
            row = "SELECT StringIndex FROM Strings WHERE Value = 'Total Site Energy'"
            connection.execute(f"UPDATE TabularData SET Value = '1e30' WHERE RowNameIndex = ({row})")
"""


class FakeEngine:
    """The executable, with what a real run of a model wrote.

    Args:
        folder: Where it is put.
        real: The engine that it replaces.
        model, weather: What that one runs.
    """

    def __init__(self, folder: Path, real: Engine, model: str, weather: Path) -> None:
        self._folder = folder
        golden = folder / "golden"
        golden.mkdir(parents=True)
        study = Study.model_validate(study_document(parameters=[], outputs={"meters": ["Electricity:Facility"]}))
        prepared = prepare(model.encode(), "room.idf", study, real.idd)
        (folder / "golden.idf").write_text(prepared.render({}), encoding="utf-8")
        line = command(real, folder / "golden.idf", weather, golden)
        assert run(line, folder, timeout_s=60).exit_code == 0
        executable = folder / "energyplus"
        executable.write_text(f"#!{sys.executable} -IS\n{_SCRIPT}", encoding="utf-8")
        executable.chmod(0o755)
        shutil.copyfile(real.idd, folder / "Energy+.idd")
        self.engine = Engine(executable)
        self.mode("ok")

    def mode(self, mode: str) -> None:
        """Say how the next runs end; forget what has run."""
        (self._folder / "mode").write_text(mode, encoding="utf-8")
        (self._folder / "modes").write_text("", encoding="utf-8")
        (self._folder / "runs").write_text("", encoding="utf-8")

    def mode_of_models_with(self, text: str, mode: str) -> None:
        """Say how the next runs of models that contain a text end, whatever `mode` says."""
        with (self._folder / "modes").open("a", encoding="utf-8") as modes:
            modes.write(f"{text}\t{mode}\n")

    @property
    def runs(self) -> int:
        """How often it has run since it was last told how."""
        return len((self._folder / "runs").read_text(encoding="utf-8").splitlines())
