"""The client on a user's machine: check, upload and follow studies, download and read results."""
