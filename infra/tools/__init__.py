"""Packaging, synthesising and checking what is deployed."""
