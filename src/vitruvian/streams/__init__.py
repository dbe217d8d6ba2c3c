"""What never ends: MQTT, MLLP, HTTP push. Each is given a Sink and acknowledges what the Sink has committed."""
