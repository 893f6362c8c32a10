import pytest

from dlspec.data.tag_table import as_tag, read_tags, write_tags
from dlspec.types import DataError


def written(folder, text, name="tags.csv"):
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_tags_in_words_worked_by_hand(tmp_path):
    file = written(tmp_path, "id,tags\na.png,blurry; dark\nb.png,\nc.png,dark\na.png,dark; cat\n")
    assert read_tags(file) == {"a.png": ("blurry", "dark", "cat"), "b.png": (), "c.png": ("dark",)}


def test_a_spreadsheet_with_a_column_a_tag_and_a_note(tmp_path):
    text = (
        "\ufeffID;Great cat;Blurry;Comment;tags\r\n7;x;;hard; it says\r\n".replace("hard; it says", '"hard; it says";')
        + "8;0;yes;;dog\r\n\r\n9;no;FALSE;;\r\n"
    )
    assert read_tags(written(tmp_path, text)) == {"7": ("Great cat",), "8": ("dog", "Blurry"), "9": ()}


def test_a_table_of_errors_with_a_tag_added_has_that_tag_alone(tmp_path):
    file = written(tmp_path, "id,kind,size,truth,guess,rain\n1,a → b,0.7,a,b,1\n1,a → c,0.2,a,c,\n2,a → b,0.1,a,b,\n")
    assert read_tags(file) == {"1": ("rain",), "2": ()}


def test_what_is_written_is_read_again(tmp_path):
    tags = {
        'a "quoted", name': ("one", "two words"),
        "<script>": ("größer",),
        "caf\udce9.png": ("x",),
        "none": (),
        "new\nline": ("a",),
    }
    file = tmp_path / "errors" / "tags.csv"
    write_tags(file, tags)
    assert read_tags(file) == tags
    write_tags(file, {"a": ["  x;  y\n z ", "", "x, y z"]})
    assert file.read_text() == 'id,tags\na,"x, y z"\n'
    assert [one.name for one in file.parent.iterdir()] == ["tags.csv"]


def test_a_write_that_fails_leaves_the_old_table(tmp_path):
    file = tmp_path / "tags.csv"
    write_tags(file, {"a": ["x"]})

    def torn():
        yield "y"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_tags(file, {"a": torn()})
    assert read_tags(file) == {"a": ("x",)}
    assert [one.name for one in tmp_path.iterdir()] == ["tags.csv"]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "a table of tags has a column 'id'"),
        ("ids,tags\n1,a\n", 1, "did you mean 'ids'"),
        ("id,note\n1,a\n", 1, "no column holds tags"),
        ("id,rain,Rain\n1,x,x\n", 1, "more than one column is called 'rain'"),
        ("id,tags\n1,a\n2,a,b\n", 3, "3 cells, where the header has 2"),
        ("id,tags\n,a\n", 2, "no id"),
        ("id,remark\n1,this one is hard to make out\n", 2, "no mark"),
        (b"id,tags\n1,gr\xfcn\n", None, "byte 12 is not UTF-8"),
    ],
)
def test_another_table_is_refused_by_line(tmp_path, text, line, says):
    file = written(tmp_path, text)
    with pytest.raises(DataError, match=says) as refused:
        read_tags(file)
    assert refused.value.complaints[0].where[:2] == (str(file), line)


def test_no_table_at_all(tmp_path):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_tags(tmp_path / "tags.csv")


def test_a_tag_is_one_line_without_what_stands_between():
    assert as_tag("  dark;\nrainy  night ") == "dark, rainy night"
