import pytest
import torch

from src.run.inference import predictor as module
from src.run.inference.ensemble import Ensemble
from src.run.inference.predictor import Predictor


@pytest.fixture
def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (2, 3, 70, 90), dtype=torch.uint8, generator=generator)


def collected(predictor: Predictor, images: torch.Tensor) -> torch.Tensor:
    """Logits put together again; rows that never come stay NaN."""
    result = torch.full((len(images), 3, *images.shape[-2:]), float("nan"))

    def write(index: int, top: int, logits: torch.Tensor) -> None:
        result[index, :, top : top + logits.shape[1]] = logits

    predictor(images, write)
    return result


def starved(ensemble: Ensemble, pixels: int, error: Exception | None = None) -> Ensemble:
    """The ensemble on a device with room for so many pixels at once."""

    def check(_, args):
        if args[0][:, 0].numel() > pixels:
            raise error or torch.OutOfMemoryError("no room")

    for member in ensemble.members:
        member.task.model.register_forward_pre_hook(check)
    return ensemble


def test_an_image_that_is_not_large_is_seen_whole(member, images):
    ensemble = Ensemble([member(kernel=3)])
    whole = ensemble(images, (70, 90))
    assert torch.equal(collected(Predictor(ensemble), images), whole)
    assert torch.equal(collected(Predictor(ensemble, tile=[100, 100]), images), whole)


@pytest.mark.parametrize(("tile", "above"), [(32, 4_000_000), ([16, 40], 4_000_000), (None, 2000)])
def test_tiles_of_a_local_network_are_the_whole(member, images, tile, above, monkeypatch):
    monkeypatch.setattr(module, "_TILE", 32)
    monkeypatch.setattr(module, "_STRIP", 500)
    ensemble = Ensemble([member()])
    cut = collected(Predictor(ensemble, tile, tile_above=above), images)
    expected = ensemble.probabilities(ensemble(images, (70, 90)))
    torch.testing.assert_close(ensemble.probabilities(cut), expected, atol=1e-6, rtol=1e-4)


def test_tiles_are_what_the_network_sees(member, images):
    one, seen = member(), []
    one.task.model.register_forward_pre_hook(lambda _, args: seen.append(tuple(args[0].shape)))
    collected(Predictor(Ensemble([one]), tile=[35, 45], overlap=0, batch_size=2), images[:1])
    assert seen == [(2, 3, 35, 45)] * 2


def test_a_large_image_of_a_checkpoint_that_resizes_is_resized(member, images):
    ensemble = Ensemble([member(size=(20, 30))])
    expected = ensemble(images, (70, 90))
    torch.testing.assert_close(collected(Predictor(ensemble, tile_above=2000), images), expected)


def test_tiles_of_a_checkpoint_that_resizes_are_resized(member, images):
    one, seen = member(size=(20, 30)), []
    one.task.model.register_forward_pre_hook(lambda _, args: seen.append(tuple(args[0].shape[-2:])))
    collected(Predictor(Ensemble([one]), tile=[35, 45]), images[:1])
    assert set(seen) == {(20, 30)}


@pytest.mark.parametrize("tile", [None, [64, 80]])
def test_out_of_memory_goes_on_with_less_at_once_and_says_so(member, images, tile, capsys):
    ensemble = Ensemble([member()])
    expected = ensemble.probabilities(ensemble(images, (70, 90)))
    found = collected(Predictor(starved(ensemble, 35 * 45), tile), images)
    torch.testing.assert_close(ensemble.probabilities(found), expected, atol=1e-6, rtol=1e-4)
    told = capsys.readouterr().out
    assert "with 2 at once: going on with 1" in told
    assert f"going on with tiles of {'35x45' if tile is None else '32x40'}" in told


def test_what_was_made_with_less_memory_is_what_smaller_tiles_make(member, images, capsys):
    expected = collected(Predictor(Ensemble([member(kernel=3)]), tile=[32, 40], batch_size=1), images)
    found = collected(Predictor(starved(Ensemble([member(kernel=3)]), 32 * 40), tile=[64, 80]), images)
    assert torch.equal(found, expected)
    assert "going on with tiles of 32x40" in capsys.readouterr().out


def test_after_a_lack_of_memory_smaller_images_are_still_seen_whole(member, images):
    ensemble = starved(Ensemble([member(kernel=3)]), 50 * 60)
    predictor = Predictor(ensemble)
    collected(predictor, images[:1])
    small = images[:1, :, :50, :60]
    assert torch.equal(collected(predictor, small), ensemble(small, (50, 60)))


def test_memory_may_run_out_in_the_allocator_of_the_cpu(member, images):
    error = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
    found = collected(Predictor(starved(Ensemble([member()]), 35 * 45, error)), images)
    assert not found.isnan().any()


def test_too_little_memory_for_anything_is_said(member, images):
    with pytest.raises(ValueError, match="out of memory even with 35x45 at once"):
        collected(Predictor(starved(Ensemble([member()]), 0)), images)
    with pytest.raises(ValueError, match="out of memory even with 20x30 at once"):
        collected(Predictor(starved(Ensemble([member(size=(20, 30))]), 0)), images)


def test_other_errors_are_not_taken_for_a_lack_of_memory(member, images):
    with pytest.raises(RuntimeError, match="something else"):
        collected(Predictor(starved(Ensemble([member()]), 0, RuntimeError("something else"))), images)


def test_checkpoints_that_disagree_in_resizing_need_a_tile_for_large_images(member, images):
    mixed = Ensemble([member(), member(size=(20, 30))])
    with pytest.raises(ValueError, match="say tile="):
        collected(Predictor(mixed, tile_above=2000), images)
    assert not collected(Predictor(mixed, tile=[50, 60], tile_above=2000), images).isnan().any()


@pytest.mark.parametrize("bad", [{"overlap": 1.0}, {"overlap": -0.1}, {"tile": 0}, {"tile": [3]}, {"batch_size": 0}])
def test_options_out_of_range_are_refused(member, bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Predictor(Ensemble([member()]), **bad)


def test_few_large_images_are_put_together(member):
    predictor = Predictor(Ensemble([member()]), tile_above=1000, batch_size=8)
    assert [predictor.at_once(size) for size in ((5, 5), (20, 20), (100, 100))] == [8, 2, 1]
