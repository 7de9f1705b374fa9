"""A photograph, or a folder of them, put through operations."""
