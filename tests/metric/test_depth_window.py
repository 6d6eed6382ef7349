import pytest

from src.metric.depth_window import window


@pytest.mark.parametrize(
    ("crop", "size", "rows", "columns"),
    [
        ("none", (480, 640), (0, 480), (0, 640)),
        ("eigen", (480, 640), (45, 471), (41, 601)),
        ("eigen", (240, 320), (22, 235), (20, 300)),
        ("garg", (375, 1242), (153, 371), (44, 1197)),
        ("garg", (352, 1216), (143, 349), (43, 1172)),
    ],
)
def test_published_windows_scale_with_the_image(crop, size, rows, columns):
    assert window(crop, *size) == (slice(*rows), slice(*columns))
