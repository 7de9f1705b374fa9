"""A photograph as a file: decoded, its colours and metadata understood, written again; contact sheets."""
