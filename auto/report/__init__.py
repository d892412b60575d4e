"""One HTML page about a fit."""

from auto.report.page import write_report

__all__ = ["write_report"]
