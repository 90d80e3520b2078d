"""Parts of the emulation outside moto, independent of EPSM: workers, containers, HTTP APIs, schedules, the journal."""
