"""The bedside: virtual monitors, real patients replayed as devices, and the device's end of the line.

Everything that a virtual monitor publishes is labelled simulated; what is replayed of real patients is labelled so.
"""
