"""What stands in front of every server of ours, so that no foreign page and no other account gets in."""
