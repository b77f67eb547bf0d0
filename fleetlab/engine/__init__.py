"""What runs a Scenario: the event loop, and what jobs meet while they run."""
