"""The report's parts, each over one stage's output folder."""
