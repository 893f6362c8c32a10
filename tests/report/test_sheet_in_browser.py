"""The sheet of errors in a real browser: keys tag, tags are on disk, the file keeps them, and no name is a script."""

import contextlib
import time

import drawn_sheet
import pytest

from dlspec.data.corrections import Spot, read
from dlspec.data.tag_table import read_tags
from dlspec.runs.sheet import write
from dlspec.runs.sheet_server import serving


@pytest.fixture
def visit(opened):
    """A sheet opened: the page, what it asked for, what it complained of."""

    def visit(address, width=1280, context=None):
        page, asked, complaints = opened(width, context=context)
        page.goto(address)
        page.wait_for_selector("body[data-ready]")
        return page, asked, complaints

    return visit


@pytest.fixture
def sheet(tmp_path):
    return drawn_sheet.sheet(tmp_path, 60)


@pytest.fixture
def address(sheet):
    with serving(sheet) as found:
        yield found


def wait(fits):
    """Until this holds; a tag takes some thousandths of a second, on a machine with nothing else to do."""
    end = time.monotonic() + 60
    while not fits() and time.monotonic() < end:
        time.sleep(0.01)
    assert fits()


@contextlib.contextmanager
def answered(page):
    """What is done within is kept by the server, and the page has its answer."""
    with page.expect_response("**/note") as caught:
        yield
    caught.value.finished()


def tags(sheet):
    return read_tags(sheet.notes.tags_file) if sheet.notes.tags_file.exists() else {}


def test_keys_tag_and_the_file_has_it(visit, address, sheet):
    page, asked, complaints = visit(address)
    names = [item["id"] for item in sheet.items]
    for key in ("t", *"cut off", "Enter", "j", "t", *"dark; blurry", "Enter", "1", "ArrowRight", "w", "k", "2"):
        page.keyboard.press("Space" if key == " " else key)
    wanted = {names[0]: ("cut off",), names[1]: ("blurry", "cut off"), names[2]: ("wrong label",)}
    wait(lambda: tags(sheet) == wanted)
    page.keyboard.press("ArrowDown")
    across = int(page.evaluate("document.querySelector('.here').dataset.row")) - 1
    assert across > 2
    page.keyboard.press("c")
    page.keyboard.type("dgo")
    page.keyboard.press("Enter")
    assert "no class 'dgo'" in page.inner_text("#label-said")
    page.fill("#label", "dog")
    with answered(page):
        page.keyboard.press("Enter")
    assert read(str(sheet.notes.relabel_file)) == {Spot(names[1 + across]): "dog"}
    assert "3 of 60 errors tagged" in page.inner_text("#tagged") and "67 %" in page.inner_text("#counts")
    page.keyboard.press("u")
    assert page.inner_text("#shown") == "57 shown"
    assert complaints == [] and all(url.startswith((address, "data:")) for url in asked)


def test_a_long_list_is_drawn_as_one_comes_to_it(visit, tmp_path):
    made = drawn_sheet.sheet(tmp_path, 700, rows=True)
    with serving(made) as address:
        page, *_ = visit(address)
        cards = page.locator(".card")
        assert 0 < cards.count() < 700
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        page.wait_for_function("() => document.querySelectorAll('.card').length >= 480")
        page.keyboard.press("End")
        page.keyboard.press("w")
        wait(lambda: list(tags(made)) == [made.items[699]["id"]])
        assert cards.count() == 700 and cards.last.inner_text().count("wrong label") == 1
        page.select_option("#which", "tagged")
        assert cards.count() == 1 and page.inner_text("#shown") == "1 shown"
        page.select_option("#which", "all")
        assert page.evaluate("document.querySelector('.here').dataset.row") == "699"


def test_what_the_server_refuses_is_said_and_what_it_missed_waits(visit, sheet):
    with serving(sheet) as address:
        page, *_ = visit(address)
        with answered(page):
            page.keyboard.press("w")
        assert len(tags(sheet)) == 1
    page.keyboard.press("j")
    page.keyboard.press("w")
    page.wait_for_selector("#state.warning")
    assert "1 not saved yet" in page.inner_text("#state")
    with page.expect_download() as caught:
        page.click("#save")
    assert len(read_tags(caught.value.path())) == 2 and len(tags(sheet)) == 1


def test_names_are_text_and_no_script_ran(visit, address, sheet):
    page, _, complaints = visit(address)
    page.keyboard.press("t")
    page.keyboard.type("<img src=x onerror=\"document.title='harm'\">")
    with answered(page):
        page.keyboard.press("Enter")
    assert len(tags(sheet)) == 1
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert page.title() == "shapes/20261122-233408: errors on dev"
    assert page.locator("script").count() == 2 and page.locator("img[src=x]").count() == 0
    assert page.locator("#items").get_by_text(drawn_sheet.HARM).first.is_visible()
    assert page.locator("#counts").get_by_text("<img src=x onerror=").first.is_visible()
    assert complaints == []


def test_the_file_opens_offline_and_keeps_tags_until_they_are_saved(visit, browser, sheet, tmp_path):
    sheet.notes.set_tags("of another sheet", ["odd"])
    file = tmp_path / "sheet.html"
    write(sheet, file)
    context = browser.new_context(offline=True)
    page, asked, complaints = visit(file.as_uri(), context=context)
    page.keyboard.press("t")
    page.keyboard.type('say "cheese", please')
    page.keyboard.press("Enter")
    page.keyboard.press("j")
    page.keyboard.press("1")
    page.keyboard.press("c")
    page.keyboard.type("fox")
    page.keyboard.press("Enter")
    other, *_ = visit(file.as_uri(), context=context)  # what one page keeps, another comes to see a little later
    other.wait_for_function("() => Object.values(localStorage).some((one) => one.includes('fox'))")
    page.close()
    page, asked, complaints = visit(file.as_uri(), context=context)
    with page.expect_download() as caught:
        page.click("#save")
    assert caught.value.suggested_filename == "tags.csv"
    first, second = (item["id"] for item in sheet.items[:2])
    tag = 'say "cheese", please'
    assert read_tags(caught.value.path()) == {"of another sheet": ("odd",), first: (tag,), second: (tag,)}
    with page.expect_download() as caught:
        page.click("#save-labels")
    assert read(str(caught.value.path())) == {Spot(second): "fox"}
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [file.as_uri()] and complaints == []
    assert page.evaluate("document.querySelector('.card img').naturalWidth > 0")
    context.close()


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("rows", [False, True])
def test_it_fits_the_screen(visit, tmp_path, width, rows):
    with serving(drawn_sheet.sheet(tmp_path, rows=rows)) as address:
        page, *_ = visit(address, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        wide = """[...document.querySelectorAll('body *')].filter(one =>
                  one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.scroll')
                  ).map(one => one.outerHTML.slice(0, 80))"""
        assert page.evaluate(wide) == []
