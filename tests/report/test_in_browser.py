"""The report in a real browser: it asks the network for nothing, and fits a phone."""

import pytest
import written_run

from dlspec.runs.report import write_report


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    run = written_run.write(tmp_path_factory.mktemp("runs"), predictions=10_000, pictures=200, side=160)
    return write_report(run)


@pytest.fixture
def visit(opened, report):
    """The report opened: the page, what it asked for, what it complained of."""

    def visit(width=1280, scheme="light", javascript=True):
        page, asked, complaints = opened(width, scheme, java_script_enabled=javascript)
        page.goto(report.as_uri(), wait_until="load")
        return page, asked, complaints

    return visit


def test_it_asks_for_nothing_and_complains_of_nothing(visit, report):
    page, asked, complaints = visit()
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0)")
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    assert complaints == []


def test_the_confusion_matrix_leads_to_the_pictures_of_a_cell(visit):
    page, *_ = visit()
    links = page.locator("#predictions ~ .figures svg a")
    cells = page.locator(".confused")
    assert cells.count() == links.count() > 1
    cells.last.evaluate("one => { one.open = false }")
    last = cells.last.locator(".tiles").get_attribute("id")
    page.locator(f"svg a[href='#{last}'] rect").last.click()
    page.wait_for_function("id => document.getElementById(id).getClientRects().length > 0", arg=last)
    assert page.url.endswith(f"#{last}") and cells.last.evaluate("one => one.open")


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_it_fits_the_screen(visit, width):
    page, *_ = visit(width)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = """[...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1
              && !one.closest('.scroll')).map(one => one.outerHTML.slice(0, 80))"""
    assert page.evaluate(wide) == []


def test_letters_are_large_enough_on_a_phone(visit):
    page, *_ = visit(360)
    least = """Math.min(...[...document.querySelectorAll('svg text')].filter(one => one.getClientRects().length).map(
               one => parseFloat(getComputedStyle(one).fontSize) * one.ownerSVGElement.getScreenCTM().a))"""
    assert page.evaluate(least) >= 8.5


def test_names_are_text_and_no_script_ran(visit):
    page, *_ = visit()
    assert page.title() == "pictures, 22 November 2026, 23:34 UTC"
    assert page.locator("script").count() == 0
    assert page.get_by_text(written_run.HARM).first.is_visible()
    assert page.evaluate("document.querySelectorAll('img[src=x]').length") == 0


def test_dark_and_light_differ_and_both_have_contrast(visit):
    grounds = []
    for scheme in ("light", "dark"):
        page, *_ = visit(scheme=scheme)
        colours = """[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,
                      getComputedStyle(document.querySelector('.soft')).color]"""
        ground, ink, soft = ([int(n) for n in colour[4:-1].split(",")] for colour in page.evaluate(colours))
        grounds.append(ground)
        assert contrast(ground, ink) > 7 and contrast(ground, soft) > 4.5  # WCAG 2.2, 1.4.6 and 1.4.3
    assert grounds[0] > [200] * 3 and grounds[1] < [60] * 3


def contrast(one, other):
    """WCAG's contrast of two colours."""

    def luminance(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (n / 255 for n in colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_it_is_complete_without_javascript_and_prints_what_is_folded(visit, tmp_path):
    page, *_ = visit(javascript=False)
    assert page.get_by_text("How to reproduce").last.is_visible()
    page.emulate_media(media="print")
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert (tmp_path / "report.pdf").stat().st_size > 100_000
    assert page.get_by_text("task: classification", exact=False).last.is_visible()
