"""The benchmark's two detectors do the same work."""

import torch

from src.benchmark import detector


def test_both_compute_the_same_loss_from_the_same_regions_and_are_one_row(monkeypatch):
    built = theirs, ours, loss = detector._built(64)
    images, targets = detector._images(64, 1)
    dicts = [{"boxes": t.boxes, "labels": t.labels + 1, "masks": t.masks} for t in targets]
    torch.manual_seed(0)
    expected = sum(theirs(images, dicts).values())
    torch.manual_seed(0)
    torch.testing.assert_close(loss(ours(images, targets)), expected)
    monkeypatch.setattr(detector, "_built", lambda side: built)
    (row,) = detector.run({"rounds": 1, "detector": {"side": 64, "batch": 1}})
    assert (row.part, row.peer, row.goal) == ("detector", "torchvision", 1.03)
    assert len(row.ours) == len(row.theirs) == 1
