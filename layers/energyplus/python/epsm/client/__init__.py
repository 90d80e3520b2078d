"""What a program on a user's machine does with a study and a stack: check, upload, follow, download, read."""
