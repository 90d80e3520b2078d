"""The container image, built from its Dockerfile and run as Lambda runs it, without a Docker engine.

`python -m tests.image` wants root, Debian's packages and a package index; it says so where it has not got them.
"""
