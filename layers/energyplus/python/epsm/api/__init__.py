"""The HTTP API: what its one Lambda function does, from the body of a request to the answer."""
