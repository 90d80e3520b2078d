"""Addresses for uploads from the API, and models uploaded there."""

import hashlib
from typing import Any

import requests

from tests.stack.clients import Client


def place_for(client: Client, content: bytes) -> dict[str, Any]:
    """Where to PUT a file."""
    sha256 = hashlib.sha256(content).hexdigest()
    request = {"files": [{"name": "a.idf", "sha256": sha256, "bytes": len(content)}]}
    (place,) = client.post("/api/simulation/uploads/", request).json()["files"]
    return dict(place)


def put_model(client: Client, content: bytes) -> None:
    place = place_for(client, content)
    if not place["present"]:
        requests.put(place["url"], data=content, headers=place["headers"], timeout=30).raise_for_status()
