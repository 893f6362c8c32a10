"""A real browser for what is looked at in one.

Tests are skipped where chromium or Playwright is not installed (Debian: apt-get install chromium; pip install
playwright).
"""

import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def pytest_collection_modifyitems(items):
    # Playwright's event loop leaves sockets to the garbage collector.
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            for what in ("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"):
                item.add_marker(pytest.mark.filterwarnings(what))


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing (pip install playwright)")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    with playwright.sync_playwright() as engine:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        opened = engine.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def opened(browser):
    """A page in a context of its own, or in a given one: the page, what it asks for, what it complains of."""
    contexts = []

    def opened(width=1280, scheme="light", context=None, **settings):
        if context is None:
            context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, **settings)
            contexts.append(context)
        page = context.new_page()
        asked, complaints = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page, asked, complaints

    yield opened
    for context in contexts:
        context.close()
