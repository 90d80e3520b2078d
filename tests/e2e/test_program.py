"""A program that runs a study on this machine, where no stack is running: it gets one of its own."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

PROGRAM = """
import json, sys
import epsm

study = epsm.Study(models=["room.idf"], weather=[sys.argv[1]], name="Room")
study = study.vary("insulation_m", "Material", "Wall Insulation", "Thickness", values=[0.2])
run = study.run()
table = run.wait(timeout_s=120, progress=True).results()
endpoint = run.connection.client("s3").meta.endpoint_url
again = epsm.run(study)
print(json.dumps({
    "status": run.status.value,
    "heating": table["heating_kwh"].tolist(),
    "endpoint": endpoint,
    "same": again.connection.client("s3").meta.endpoint_url == endpoint,
    "runs": sorted(each.simulation_id for each in run.connection.runs()),
    "ids": [run.simulation_id],
    "kept": str(run.download("kept")),
}))
again.cancel()
"""


def test_a_program_runs_a_study_on_a_stack_that_ends_with_it(tmp_path: Path, one_day: str, chicago: Path) -> None:
    (tmp_path / "room.idf").write_text(one_day, encoding="utf-8")
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state"), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "program.py", str(chicago)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=150,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["status"] == "completed"
    baseline, insulated = found["heating"]
    assert 0 < insulated < baseline
    assert found["same"], "the second study started another stack"
    assert set(found["ids"]) <= set(found["runs"])
    assert (tmp_path / found["kept"] / "results.csv").is_file()
    assert f"{found['ids'][0]}: completed, 2 of 2 variants" in done.stderr.splitlines()
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(found["endpoint"], timeout=5)
