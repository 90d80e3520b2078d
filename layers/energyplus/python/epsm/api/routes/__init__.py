"""Routes of the HTTP API, by what they are for."""
