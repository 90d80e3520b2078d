"""What stands around moto and knows nothing of EPSM: workers, containers, HTTP APIs, schedules, the journal."""
