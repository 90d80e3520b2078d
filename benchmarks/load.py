"""Many studies at once through the HTTP API: does anything get lost, doubled or slow?

Eight clients submit fifty small studies, each watches its own until they have ended and reads their rows. Nothing is
replaced: the engine is EnergyPlus on a single day.
"""

import argparse
import json
import statistics
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from benchmarks.output import print_machine, print_table
from benchmarks.studies import ONE_ZONE, WEATHER
from epsm_local.stack import LocalStack
from tests.conftest import study_document, with_run_period

_POLL_INTERVAL_S = 0.5


class Client:
    """One user of the API; notes how long each request took, by what was asked."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={name}/x"
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.faults: list[str] = []

    def ask(self, request: str, method: str, path: str, **options: Any) -> Any:
        started = time.perf_counter()
        answer = self._session.request(method, self._url + path, timeout=60, **options)
        self.seconds[request].append(time.perf_counter() - started)
        if answer.status_code >= 400:
            self.faults.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
            return {}
        return answer.json()

    def run(self, name: str) -> dict[str, Any]:
        """Submit a study, wait for its end, read its rows."""
        study = study_document(name=name)
        parts = [("idf_files", ("room.idf", _MODEL)), ("weather_file", ("chicago.epw", _WEATHER))]
        form = {"study": json.dumps(study)}
        simulation = self.ask("submit", "POST", "/api/simulation/run/", files=parts, data=form)["simulation_id"]
        while True:
            state = self.ask("status", "GET", f"/api/simulation/{simulation}/status/")
            if state.get("status") not in ("pending", "running"):
                break
            time.sleep(_POLL_INTERVAL_S)
        rows = self.ask("results", "GET", f"/api/simulation/{simulation}/results/")["rows"]
        return {"simulation": simulation, "status": state["status"], "rows": [row["variant_index"] for row in rows]}


_MODEL = with_run_period(ONE_ZONE.path.read_text(encoding="utf-8"), end=(1, 1)).encode()
_WEATHER = WEATHER.read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=50)
    parser.add_argument("--clients", type=int, default=8)
    arguments = parser.parse_args()
    print_machine()
    with LocalStack() as stack:
        assert stack.api_url is not None
        clients = threading.local()
        every: list[Client] = []

        def run(number: int) -> dict[str, Any]:
            if not hasattr(clients, "own"):
                clients.own = Client(str(stack.api_url), f"client-{len(every)}")
                every.append(clients.own)
            rows: dict[str, Any] = clients.own.run(f"Load {number}")
            return rows

        started = time.perf_counter()
        with ThreadPoolExecutor(arguments.clients) as pool:
            studies = list(pool.map(run, range(arguments.studies)))
        wall_seconds = time.perf_counter() - started
        records = [stack.client("dynamodb").scan(TableName=stack.outputs.table_name, Select="COUNT")]
    print_table(
        ["request", "number", "p50_ms", "p99_ms", "longest_ms"],
        [_row(name, [second for client in every for second in client.seconds[name]]) for name in every[0].seconds],
    )
    statuses = Counter(study["status"] for study in studies)
    right = sum(study["rows"] == [0, 1, 2] for study in studies)
    print(f"\n{arguments.studies} studies of 3 variants, {arguments.clients} clients, {wall_seconds:.1f} s", end=": ")
    print(dict(statuses))
    print(f"{right} with every variant once; {len({study['simulation'] for study in studies})} simulations; "
          f"{records[0]['Count']} items in the table")  # fmt: skip
    faults = [fault for client in every for fault in client.faults]
    print(f"{len(faults)} requests failed" + "".join(f"\n  {fault}" for fault in faults[:10]))


def _row(request: str, seconds: list[float]) -> list[Any]:
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return [request, len(ordered), 1000 * statistics.median(ordered), 1000 * p99, 1000 * ordered[-1]]


if __name__ == "__main__":
    main()
