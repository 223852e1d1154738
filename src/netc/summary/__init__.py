"""The layer table of a network: rows, their columns, and the table as text, JSON, Markdown, CSV."""
