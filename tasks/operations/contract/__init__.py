"""What an operation is, and the types of its parameters."""
