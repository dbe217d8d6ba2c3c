"""The pages: the ward, a patient, the data coming in. Presentation only; everything they show comes from the service.

app = create_app(ward, settings, parts=[dashboard.attach])
"""

from vitruvian.dashboard.pages import attach

__all__ = ["attach"]
