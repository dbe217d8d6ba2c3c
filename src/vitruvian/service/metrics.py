"""What the running ward counts, for Prometheus. Names carry their unit; nothing here names a patient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from vitruvian.service.risk_views import ModelView

if TYPE_CHECKING:
    from vitruvian.service.reading import Reading

QUANTILES: Final = (0.5, 0.95, 0.99)
SHADOW: Final = {
    "compared": "scores that champion and shadow both gave",
    "over_both": "of these, over both thresholds",
    "over_champion_only": "of these, over the champion's threshold only",
    "over_shadow_only": "of these, over the shadow's threshold only",
    "dropped": "scores that the shadow was spared for want of time",
    "failed": "batches in which the shadow failed",
}
APART: Final = {
    "mean_distance": "mean absolute difference of the probabilities",
    "max_distance": "largest absolute difference of the probabilities",
}


class Metrics:
    """Collects on demand; keeps nothing of its own."""

    def __init__(self, ward: Reading) -> None:
        self._ward = ward
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> bytes:
        """The text exposition."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Every metric as it stands."""
        ward = self._ward
        for name, count in {
            **ward.intake.counts,
            **ward.follower.counts,
            **ward.follower.assessor.scoring.counts,
        }.items():
            unit = "_seconds" if name.endswith("_s") else ""
            about = f"{name.removesuffix('_s').replace('_', ' ')} since start"
            yield CounterMetricFamily(f"vitruvian_{name.removesuffix('_s')}{unit}", about, value=count)
        for stream, counts in ward.stream_counts.items():
            for name, count in counts.items():
                about = f"{name.replace('_', ' ')} of {stream} since start"
                yield CounterMetricFamily(f"vitruvian_{stream}_{name.lower()}", about, value=count)
        yield GaugeMetricFamily("vitruvian_ready", "1 where data can be made durable", int(not ward.intake.unavailable))
        yield GaugeMetricFamily("vitruvian_seq", "last commit that the twins have seen", ward.seq())
        yield GaugeMetricFamily("vitruvian_patients", "twins in memory", len(ward.twins))
        yield GaugeMetricFamily("vitruvian_queue_entries", "entries waiting for a commit", ward.intake.waiting)
        yield GaugeMetricFamily("vitruvian_viewers", "open streams to pages", ward.hub.viewers)
        yield GaugeMetricFamily("vitruvian_alerts_open", "alerts that have not ended", len(ward.follower.alerts.open()))
        follower = ward.follower
        yield from _models(ward.models())
        about = "from arrival here to scored, of recent commits"
        yield _quantiles("vitruvian_arrival_to_scored_seconds", about, follower.latencies_s)
        about = "age of a measurement when its patient was scored, of recent ones"
        yield _quantiles("vitruvian_measured_to_scored_seconds", about, follower.lags_s)


def _models(models: Sequence[ModelView]) -> Iterator[Metric]:
    """What runs, and how far shadows differ from their champions."""
    runs = GaugeMetricFamily("vitruvian_model", "1 for each model that runs", labels=["task", "role", "version"])
    faults = GaugeMetricFamily("vitruvian_model_fault", "1 where a model has failed", labels=["task", "role"])
    families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {
        name: CounterMetricFamily(f"vitruvian_shadow_{name}", about, labels=["task"]) for name, about in SHADOW.items()
    }
    for name, about in APART.items():
        families[name] = GaugeMetricFamily(f"vitruvian_shadow_{name}", about, labels=["task"])
    for one in models:
        runs.add_metric([one.task, one.role, one.version], 1)
        faults.add_metric([one.task, one.role], int(bool(one.fault)))
        told = one.disagreement or {}
        for name, family in families.items():
            value = told.get(name)
            if isinstance(value, int | float):
                family.add_metric([one.task], value)
    yield from (runs, faults, *families.values())


def _quantiles(name: str, about: str, recent_s: Iterable[float]) -> Metric:
    values = np.array(list(recent_s))
    gauge = GaugeMetricFamily(name, about, labels=["quantile"])
    for quantile in QUANTILES:
        value = float(np.quantile(values, quantile)) if values.size else float("nan")
        gauge.add_metric([f"{quantile}"], value)
    return gauge
