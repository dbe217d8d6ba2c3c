"""The ward's own MQTT broker: nats-server, started, bounded, watched and stopped."""

from vitruvian.streams.broker.config import BrokerSettings, find_server
from vitruvian.streams.broker.server import EmbeddedBroker

__all__ = ["BrokerSettings", "EmbeddedBroker", "find_server"]
