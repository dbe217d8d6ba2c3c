"""Alerts: rules over values, scores and silence; each alert's life, kept in the journal; delivery by webhook.

`Alerts` hears and returns steps; `entry_of` makes each a derived entry, `step_of` reads it back after a restart.
What a rule may say is in rules.toml; docs/scores.md tells how partial and expired scores are heard.
"""

from vitruvian.alerts.engine import Alerts
from vitruvian.alerts.records import PREFIX, SOURCE, Alert, Step, entry_of, step_of
from vitruvian.alerts.restart import steps_kept
from vitruvian.alerts.rules import Rule, RuleTable, load_rules, parse_rules
from vitruvian.alerts.webhook import Webhook, WebhookSettings

__all__ = [
    "PREFIX",
    "SOURCE",
    "Alert",
    "Alerts",
    "Rule",
    "RuleTable",
    "Step",
    "Webhook",
    "WebhookSettings",
    "entry_of",
    "load_rules",
    "parse_rules",
    "step_of",
    "steps_kept",
]
