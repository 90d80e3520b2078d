"""From a run's eplusout.sql to metrics, series, the table, remarks and the report. No AWS."""
