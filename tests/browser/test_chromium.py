"""The browser that the tests drive."""

from __future__ import annotations

import pytest


@pytest.mark.browser
def test_chromium_opens_a_page(chromium: object) -> None:
    page = chromium.new_page()  # type: ignore[attr-defined]
    page.set_content("<h1>Ward</h1>")
    assert page.inner_text("h1") == "Ward"
    page.close()
