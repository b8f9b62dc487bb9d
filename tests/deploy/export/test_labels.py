"""Class names beside a .tflite"""

from __future__ import annotations

import pytest

from trainkit.deploy.export import write_labels
from trainkit.errors import InputError


def test_labels_are_a_line_each(tmp_path):
    write_labels(tmp_path / "labels.txt", ("cat", "grüner Tee", "7"))
    assert (tmp_path / "labels.txt").read_bytes() == "cat\ngrüner Tee\n7\n".encode()


@pytest.mark.parametrize("name", ["a\nb", "a\n", "\r", "a\u2028b"], ids=ascii)
def test_label_of_two_lines_is_refused(name, tmp_path):
    with pytest.raises(InputError, match=r"a class name must be one line of text\. Received: "):
        write_labels(tmp_path / "labels.txt", ("cat", name))
    assert list(tmp_path.iterdir()) == []
