import csv


def test_a_validation_counts_for_its_own_epoch_only(run, capsys):
    folder = run("trainer.max_epochs=3", "trainer.check_val_every_n_epoch=2", "model=fcn_full", "model.width=4")
    first, second, third = csv.DictReader((folder / "metrics.csv").open())
    assert first["val/score"] == third["val/score"] == ""
    assert second["val/score"]
    assert all(row["train/loss"] for row in (first, second, third))
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch ")]
    assert ["val/score" in line for line in lines] == [False, True, False]
