"""An evaluation as files that people read: one page, plots, a model card, and the source paper's table beside ours."""

from vitruvian.prediction.report.write import write_report

__all__ = ["write_report"]
