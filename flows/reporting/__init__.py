"""What a terminal and a run's page show."""
