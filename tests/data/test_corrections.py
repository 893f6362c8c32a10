"""Labels that were wrong: a file changes them for every reader, moves nobody, and says what it cannot do."""

import pytest
from contracts.samples import reader

from dlspec.data.corrections import Labels, one_sided, read
from dlspec.numeric.places import Box, Point, text_of
from dlspec.recipe.component import names
from dlspec.types import DataError, Examples, RecipeError


def corrected(one, tmp_path, rows, head="id,split,label,suggested,probability,new"):
    file = tmp_path / "relabel.csv"
    file.write_text("\n".join([head, *rows]) + "\n")
    return one.model_copy(update={"corrections": (str(file),)})


@pytest.mark.parametrize("name", names("data"))
def test_every_reader_takes_them_and_moves_nobody(name, tmp_path):
    one = reader(name, tmp_path)
    before = one.read()
    if not one.has_labels:
        with pytest.raises(RecipeError, match=f"'{name}' reads none"):
            corrected(one, tmp_path, [f"{before['train'].ids[0]},,,,,new"]).read()
        return
    first, dev = before["train"][0], before["dev"][0]
    tagged = type(first.y) is tuple and first.y and isinstance(first.y[0], str)  # a tag for each of so many words
    others = [example.y for example in before["train"] if example.y != first.y]
    other = next(one for one in others if not tagged or len(one) == len(first.y))
    text = " ".join(other) if tagged else text_of(other) or ("nothing" if other == () else str(other))
    again = corrected(one, tmp_path, [f'{first.id},,,,,"{text}"', f"{dev.id},,,,,"]).read()
    assert {n: part.ids for n, part in again.parts.items()} == {n: part.ids for n, part in before.parts.items()}
    assert again["train"][0].y == other and type(again["train"][0].y) is type(other)
    assert again["train"].column("y")[1:] == before["train"].column("y")[1:]
    assert again["dev"][0].y == dev.y and one.read()["train"][0].y == first.y
    assert again.fingerprint != before.fingerprint
    assert any("corrects 1 label: train 1" in note for note in again.notes)
    manifest = {i: split for split, part in before.parts.items() for i in part.ids if i != first.id}
    assert (
        len(corrected(one, tmp_path, [f'{first.id},,,,,"{text}"']).read(manifest)["train"]) == len(before["train"]) - 1
    )


def test_tags_of_a_sentence_are_corrected_word_by_word(tmp_path):
    one = reader("conll", tmp_path)
    first = one.read()["train"][0]
    new = " ".join(["B-person", *first.y[1:]])
    again = corrected(one, tmp_path, [f"{first.id},,,,,{new}"]).read()
    assert again["train"][0].y == ("B-person", *first.y[1:]) and again["train"][0].x == first.x
    with pytest.raises(DataError, match=f"'{first.id}': 2 tags, but the sentence has {len(first.x)} words"):
        corrected(one, tmp_path, [f"{first.id},,,,,O O"]).read()
    with pytest.raises(DataError, match="there is no tag 'B-persn'; did you mean 'B-person'"):
        corrected(one, tmp_path, [f"{first.id},,,,,{new.replace('person', 'persn')}"]).read()


def test_single_words_have_new_tags(tmp_path):
    one = reader("conll", tmp_path)
    first = one.read()["train"][0]
    wrong = [place for place, tag in enumerate(first.y) if tag != "B-person"][:2]
    head, rows = "id,new,word", [f"{first.id},B-person,{place + 1}" for place in wrong]
    again = corrected(
        one, tmp_path, [*rows, f"{first.id},,1", f"{first.id},{first.y[-1]},{len(first.y)}.0"], head
    ).read()
    expected = ["B-person" if place in wrong else tag for place, tag in enumerate(first.y)]
    assert again["train"][0].y == tuple(expected) and again.fingerprint != one.read().fingerprint
    assert any(f"corrects {len(wrong)} labels: train {len(wrong)}" in note for note in again.notes)
    for row, says in (
        (f"{first.id},B-persn,1", "no tag 'B-persn'; did you mean 'B-person'"),
        (f"{first.id},O,99", f"there is no word 99: it has {len(first.y)}"),
        (f"{first.id},O,Paris", "counted from 1; got 'Paris'"),
        (f"{first.id},O,0", "counted from 1; got '0'"),
        (f"{first.id},O,1\n{first.id},I-person,1", f"word 1 of '{first.id}' is both O and I-person"),
        (f"{first.id},O,1\n{first.id},{' '.join(first.y)},", "both new tags for the whole and one for a word of it"),
    ):
        with pytest.raises(DataError, match=says):
            corrected(one, tmp_path, [row], head).read()


def test_tags_that_came_as_a_text_stay_one():
    labels = Labels([Examples(["a", "b"], ["Ann sleeps", "in Rome"], ["B-per O", "O B-loc"])])
    assert labels.mended("B-per O", {1: "B-loc", 2: "O"}) == ("B-loc O", 1)
    assert labels.mended("B-per O", {None: "O B-loc"}) == ("O B-loc", 1)
    with pytest.raises(ValueError, match="no tag 'B-org'"):
        labels.mended("B-per O", {1: "B-org"})


def test_what_is_unknown_is_a_sentence(tmp_path):
    iris = reader("iris", tmp_path)
    with pytest.raises(DataError, match=r"this id is unknown to the data: nobody"):
        corrected(iris, tmp_path, ["nobody,,,,,setosa"]).read()
    with pytest.raises(DataError, match=r"2 of its ids are unknown to the data: nobody, noone"):
        corrected(iris, tmp_path, ["nobody,,,,,setosa", "noone,,,,,setosa"]).read()
    name = iris.read()["train"].ids[0]
    with pytest.raises(DataError, match="no class 'setossa'; did you mean 'setosa'"):
        corrected(iris, tmp_path, [f"{name},,,,,setossa"]).read()
    with pytest.raises(DataError, match="both setosa and virginica"):
        corrected(iris, tmp_path, [f"{name},,,,,setosa", f"{name},,,,,virginica"]).read()
    with pytest.raises(DataError, match="a column 'new'; did you mean 'news'"):
        corrected(iris, tmp_path, ["a,b"], head="id,news").read()
    with pytest.raises(DataError, match="expected a number, got 'many'"):
        diabetes = reader("diabetes", tmp_path)
        corrected(diabetes, tmp_path, [f"{diabetes.read()['train'].ids[0]},,,,,many"]).read()


def test_numbers_semicolons_and_nothing_new(tmp_path):
    diabetes = reader("diabetes", tmp_path)
    name = diabetes.read()["train"].ids[0]
    again = corrected(diabetes, tmp_path, [f"{name};99.5"], head="id;new").read()
    assert again["train"][0].y == 99.5
    same = corrected(diabetes, tmp_path, [f"{name};"], head="id;new").read()
    assert same.fingerprint == diabetes.read().fingerprint
    (tmp_path / "r.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8"):
        read(str(tmp_path / "r.csv"))


def test_one_side_alone_is_warned_of():
    assert "train alone" in one_sided({"train": 3, "dev": 0, "test": 0})
    assert "dev are corrected, those of test are not" in one_sided({"train": 3, "dev": 2, "test": 0})
    assert one_sided({"train": 0, "dev": 2, "test": 1}) is None
    assert one_sided({"train": 3, "dev": 2}) is None and one_sided({"train": 0, "dev": 0, "test": 0}) is None


def test_boxes_and_points_are_corrected_by_their_texts():
    boxes = Labels([Examples(["a", "b"], [0, 1], [(Box("cat", 1, 2, 3, 4),), ()])])
    assert boxes.value("cat (1, 2, 3, 4)") == (Box("cat", 1, 2, 3, 4),)
    assert boxes.value("dog (0, 2, 3, 4.5)") == (Box("dog", 0, 2, 3, 4.5),) and boxes.value("nothing") == ()
    with pytest.raises(ValueError, match="expected a name and 4 numbers"):
        boxes.value("dog")
    points = Labels([Examples(["a"], [0], [(Point("nose", 1, 2),)])])
    assert points.value("nose (3, 4)") == (Point("nose", 3, 4),)
