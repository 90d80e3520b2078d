"""The HTTP API (API Gateway v2) of the deployed template, made callable on 127.0.0.1."""
