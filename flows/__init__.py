"""WHEN: what a person, a schedule or an event can start."""
