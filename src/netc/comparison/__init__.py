"""What changed between two networks: layers that correspond, their differences, and words."""
