"""Whether a study can run: the rules that a study is checked by before anything starts. No AWS."""
