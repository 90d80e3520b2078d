"""The state machine of a study."""
