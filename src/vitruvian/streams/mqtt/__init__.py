"""MQTT: the topics and payloads, the way in, and the small client under both ends."""

from vitruvian.streams.mqtt.connection import Address, BrokerUnavailable, Connection, address
from vitruvian.streams.mqtt.intake import FhirDecoder, MqttIntake
from vitruvian.streams.mqtt.payload import decode
from vitruvian.streams.mqtt.topics import Topic

__all__ = [
    "Address",
    "BrokerUnavailable",
    "Connection",
    "FhirDecoder",
    "MqttIntake",
    "Topic",
    "address",
    "decode",
]
