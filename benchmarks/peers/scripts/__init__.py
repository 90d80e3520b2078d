"""Programs of the comparison that run in the environments of other tools, or in a process of their own."""
