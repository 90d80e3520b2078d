"""The HTTP API: its one Lambda function, from the body of a request to the response."""
