"""Where foreign text goes out: one function each for terminal, Markdown, HTML and CSV."""
