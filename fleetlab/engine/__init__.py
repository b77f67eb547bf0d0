"""What runs a Scenario: the event loop, its log, and what jobs meet while they run."""
