"""A network, and a run of it, as one HTML file that needs no network."""

from .document import report, to_html

__all__ = ["report", "to_html"]
