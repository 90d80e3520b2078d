"""HTTP APIs in CloudFormation.

Completes moto/apigatewayv2/models.py, which supports them, but not in templates. epsm_local/aws/http_api/ serves them.
"""

from typing import Any

from epsm_local.moto_patches import local_aws
from epsm_local.moto_patches.cloudformation import add_type


def install() -> None:
    add_type(
        "AWS::ApiGatewayV2::Api",
        _api,
        attributes={"ApiId": str, "ApiEndpoint": lambda api_id: str(_client().get_api(ApiId=api_id)["ApiEndpoint"])},
        delete=lambda api_id: _client().delete_api(ApiId=api_id),
        idempotent=False,
    )
    add_type("AWS::ApiGatewayV2::Authorizer", _authorizer, attributes={"AuthorizerId": str}, idempotent=False)
    add_type("AWS::ApiGatewayV2::Integration", _integration, attributes={"IntegrationId": str}, idempotent=False)
    add_type("AWS::ApiGatewayV2::Route", _route, attributes={"RouteId": str}, idempotent=False)
    add_type("AWS::ApiGatewayV2::Stage", _stage, idempotent=False)


def _client() -> Any:
    return local_aws().client("apigatewayv2")


def _api(properties: dict[str, Any], name: str) -> str:
    return str(_client().create_api(**properties)["ApiId"])


def _authorizer(properties: dict[str, Any], name: str) -> str:
    return str(_client().create_authorizer(**properties)["AuthorizerId"])


def _integration(properties: dict[str, Any], name: str) -> str:
    return str(_client().create_integration(**properties)["IntegrationId"])


def _route(properties: dict[str, Any], name: str) -> str:
    return str(_client().create_route(**properties)["RouteId"])


def _stage(properties: dict[str, Any], name: str) -> str:
    return str(_client().create_stage(**properties)["StageName"])
