"""Tables are plain text that keeps what it is given."""

from keras_prune.tables import render_table


def test_columns_align_and_markup_is_text():
    text = render_table("Title", ["name", ">bytes"], [["conv[0]", 9], ["b", 1234]], ["total", 1243])
    lines = text.splitlines()
    assert lines[0] == "Title"
    assert any(line.split() == ["conv[0]", "9"] for line in lines)
    assert lines[-1].split() == ["total", "1243"]
    ends = {len(line) for line in lines if line.split() and line.split()[-1].isdigit()}
    assert len(ends) == 1


def test_long_cells_fold_and_lose_nothing():
    name = "/".join(f"layer{i:02}" for i in range(20))
    lines = render_table("", ["name", ">n"], [[name, ""]], width=60).splitlines()
    assert all(len(line) <= 60 for line in lines)
    assert "".join(line.strip() for line in lines[2:]) == name
