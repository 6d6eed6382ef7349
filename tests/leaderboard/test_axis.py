from src.leaderboard.axis import following, scattered

DECODERS = ["unet", "unet", "fcn8s", "fcn8s", "plain", "plain"]
HEADS = ["conv", "conv", "identity", "identity", "conv", "conv"]
SIZES = ["s", "l", "s", "l", "s", "l"]


def test_a_head_that_goes_with_its_decoder_follows_it() -> None:
    assert following({"head": HEADS, "decoder": DECODERS, "size": SIZES}) == {"head": "decoder"}


def test_of_two_that_decide_each_other_the_first_leads() -> None:
    letters = [name[0] for name in DECODERS]
    assert following({"decoder": DECODERS, "letter": letters, "head": HEADS}) == {
        "letter": "decoder",
        "head": "decoder",
    }


def test_drawn_numbers_decide_nothing() -> None:
    rates = [str(0.1 * n) for n in range(12)]
    assert scattered(rates)
    assert not scattered(rates[:8])
    assert not scattered([*rates, "auto"])
    assert following({"lr": rates, "loss": ["dice", "focal"] * 6}) == {}
