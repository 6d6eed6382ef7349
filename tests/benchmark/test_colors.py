import torch

from src.benchmark import colors
from src.benchmark.loss import _built
from src.benchmark.peers import peers

OPTIONS = {"batch": 2, "size": [32, 48], "channels_last": False}


def test_the_peers_of_colour_give_our_value():
    for name, channels in (("color_bins", 313), ("smooth_l1", 2)):
        output, ab = colors.batch(OPTIONS, channels)
        (peer,) = peers(name, 0).values()
        torch.testing.assert_close(peer(output, ab), _built(name)(output, ab))


def test_the_lookup_is_nearly_the_search():
    _, ab = colors.batch(OPTIONS, 1)
    ab = ab.round()  # what the lookup leaves out
    (found, share), (exact, expected) = colors.looked_up(ab), colors.searched(ab)
    torch.testing.assert_close(share, expected, atol=1e-4, rtol=1e-4)
    assert (found[..., 0] == exact[..., 0]).float().mean() > 0.8  # of equally near ones any will do


def test_the_rows_name_what_they_compare():
    (row,) = colors.rows({"loss": OPTIONS, "rounds": 1})
    assert row.peer == colors.SEARCH
    assert row.ratio < 1
