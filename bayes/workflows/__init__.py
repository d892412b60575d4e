"""Workflows: everything from the simulator to the diagnostics."""

from bayes.workflows.basic_workflow import BasicWorkflow

__all__ = ["BasicWorkflow"]
