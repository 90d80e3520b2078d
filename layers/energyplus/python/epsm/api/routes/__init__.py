"""Routes of the HTTP API, by purpose."""
