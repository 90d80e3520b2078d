"""The API as a whole, and its OpenAPI description."""

import functools
import json
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from epsm import __version__
from epsm.api.app import app
from epsm.api.routes import change, estimate, results, service, status, studies, submit

__all__ = ["app", "description"]

_EPSM_FIELDS = ("parallel", "batch_mode", "max_workers")

for _part in (submit, estimate, status, studies, results, change, service):
    app.include_router(_part.router)


@app.get("/openapi.json", include_in_schema=False)
def openapi() -> Response[str]:
    """The OpenAPI description of this API."""
    return Response(HTTPStatus.OK.value, "application/json", json.dumps(description()))


@functools.cache
def description() -> dict[str, Any]:
    """The OpenAPI document. The form of `run` is added here, because that route reads its body itself."""
    document: dict[str, Any] = json.loads(
        app.get_openapi_json_schema(
            title="EPSM",
            version=__version__,
            description="EnergyPlus parametric studies: submit, query, change, cancel.",
        )
    )
    several_files = {"type": "array", "items": {"type": "string", "format": "binary"}}
    form = {
        "idf_files": {**several_files, "description": "Models, IDF or epJSON."},
        "weather_file": {**several_files, "description": "Weather files, EPW."},
        "files": {**several_files, "description": "External files of the models: schedules, .stat files."},
        "study": {"type": "string", "description": "A study.json; without it, models run unchanged."},
        "name": {"type": "string", "description": "Name of the study if there is no study.json."},
        **{name: {"type": "string", "description": "Legacy EPSM; ignored."} for name in _EPSM_FIELDS},
    }
    document["paths"]["/api/simulation/run/"]["post"]["requestBody"] = {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": {"type": "object", "properties": form}},
            "application/json": {"schema": {"$ref": "#/components/schemas/StudyOfUploads"}},
        },
    }
    return document
