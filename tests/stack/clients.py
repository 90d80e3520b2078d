"""Users of the HTTP API, and how they send a study."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from tests.conftest import every_variant, study_document

LAYERS = {
    "name": "layer",
    "class": "Construction",
    "object": "Wall",
    "field": "Outside Layer",
    # The second is an object of the model, so submit lets it pass, but no material: the engine refuses it.
    "values": ["Concrete", "Room"],
}


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who uses the API; the local gateway takes the access key for the name of the user."""

    url: str
    user: str

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        signature = f"AWS4-HMAC-SHA256 Credential={self.user}/20260101/us-east-1/execute-api/aws4_request"
        headers = {"Authorization": signature, **options.pop("headers", {})}
        return requests.request(method, self.url + path, headers=headers, timeout=60, **options)

    def get(self, path: str, **options: Any) -> Any:
        answer = self.ask("GET", path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, document: Any) -> requests.Response:
        return self.ask("POST", path, json=document)


def send(client: Client, files: Mapping[str, bytes], study: Mapping[str, Any] | None = None) -> requests.Response:
    """Submit a study as a form."""
    parts = [
        ("weather_file" if name.endswith(".epw") else "idf_files", (name, content)) for name, content in files.items()
    ]
    data = {} if study is None else {"study": json.dumps(study)}
    return client.ask("POST", "/api/simulation/run/", files=parts, data=data)


def submit(client: Client, files: Mapping[str, bytes], **changes: Any) -> str:
    """Submit a study as a form with a study.json; the name of its simulation."""
    answer = send(client, files, study_document(**changes | every_variant(changes)))
    assert answer.status_code == 202, answer.text
    return str(answer.json()["simulation_id"])
