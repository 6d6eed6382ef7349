"""Every backbone × decoder × upsampling either composes, or is refused with a sentence that says what would."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch import nn

from src.model.encoder_decoder import EncoderDecoder

CONF = Path(__file__).resolve().parents[2] / "conf"
CLASSES, SIZE = 5, (65, 97)
SMALL = ("resnet18", "vgg11", "plain")  # backbones whose steps are quick
PARTS = ("backbone", "decoder", "upsample")

Choice = tuple[str, str, str]  # of backbone, decoder, upsample


def names(group: str) -> list[str]:
    return sorted(file.stem for file in (CONF / "model" / group).glob("*.yaml"))


@cache
def part(group: str, name: str) -> Callable[..., nn.Module]:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(overrides=[f"+model/{group}={name}"])
    return instantiate(config.model[group], _convert_="all")


@cache
def remembered(name: str) -> nn.Module:
    """A backbone on the meta device that looks at an image of each size once."""
    with torch.device("meta"):
        backbone = part("backbone", name)(in_channels=3)
    for method in ("forward", "pooled"):
        if hasattr(backbone, method):
            setattr(backbone, method, _once(getattr(backbone, method)))
    return backbone


def _once(function: Callable[..., Any]) -> Callable[..., Any]:
    answers: dict[tuple[int, ...], Any] = {}

    def asked(image: torch.Tensor) -> Any:
        key = tuple(image.shape)
        if key not in answers:
            answers[key] = function(image)
        return answers[key]

    return asked


def built(choice: Choice, backbone: Callable[..., nn.Module]) -> EncoderDecoder:
    decoder, upsample = part("decoder", choice[1]), part("upsample", choice[2])
    return EncoderDecoder(backbone, decoder, upsample, part("head", "conv"), in_channels=3, out_channels=CLASSES)


@cache
def shown(backbone: str) -> tuple[Any, ...]:
    """All that a decoder can know of a backbone: what it publishes, and the shapes of its features and pools."""
    network = remembered(backbone)
    with torch.no_grad():
        image = torch.empty(1, 3, *SIZE, device="meta")
        features, pools = network.pooled(image) if hasattr(network, "pooled") else (network(image), None)
    shapes = tuple(tuple(feature.shape) for feature in features)
    sizes = None if pools is None else tuple((r, tuple(pool.indices.shape), pool.size) for r, pool in pools.items())
    return tuple(network.channels), tuple(network.reductions), shapes, sizes


_VERDICTS: dict[tuple[Any, ...], str | None] = {}


def verdict(choice: Choice) -> str | None:
    """Why the parts do not fit; None if they do, and the answer has the image's size.

    Backbones that show the same are tried once: no decoder can tell them apart.
    """
    key = (shown(choice[0]), *choice[1:])
    if key not in _VERDICTS:
        _VERDICTS[key] = _verdict(choice)
    return _VERDICTS[key]


def _verdict(choice: Choice) -> str | None:
    with torch.device("meta"), torch.no_grad():
        try:
            model = built(choice, lambda in_channels: remembered(choice[0]))
        except ValueError as refusal:
            return str(refusal)
        assert model.eval()(torch.empty(1, 3, *SIZE)).shape == (1, CLASSES, *SIZE)
    return None


@pytest.mark.parametrize("backbone", names("backbone"))
def test_every_combination_composes_or_is_refused_with_a_remedy(backbone, tally):
    choices = [(backbone, decoder, upsample) for decoder in names("decoder") for upsample in names("upsample")]
    refused = {choice: verdict(choice) for choice in choices if verdict(choice)}
    for choice, sentence in refused.items():
        assert re.search(r"\b(takes?|say) ", sentence), f"{choice}: {sentence}"
    assert (backbone, "fcn32s", "bilinear") not in refused  # what reads one feature fits every backbone
    assert len(refused) < len(choices)
    tally(f"combinations with {backbone}", tried=len(choices), failed=0, refused=len(refused))


def test_what_fits_and_what_does_not():
    assert verdict(("vgg16", "unet", "bilinear")) is None
    assert verdict(("vgg16_bn", "segnet", "max_unpool")) is None
    assert "max-pool" in verdict(("convnext_tiny", "unet", "max_unpool"))
    assert "model/decoder=fcn32s" in verdict(("vit_small", "unet", "bilinear"))


def covering(choices: list[Choice]) -> Iterator[Choice]:
    """Of these, enough that every pair of parts that occurs in one occurs in one of those taken; greedily."""
    pairs = {choice: set(combinations(zip(PARTS, choice, strict=True), 2)) for choice in choices}
    open_pairs = set().union(*pairs.values())
    while open_pairs:
        choice = max(choices, key=lambda choice: len(pairs[choice] & open_pairs))
        open_pairs -= pairs[choice]
        yield choice


def small() -> list[Choice]:
    """One for every decoder and one for every upsampling, on quick backbones."""
    fitting = [(b, d, u) for d in names("decoder") for u in names("upsample") for b in SMALL if not verdict((b, d, u))]
    taken, seen = [], set()
    for choice in fitting:
        if set(choice[1:]) - seen:
            taken.append(choice)
            seen.update(choice[1:])
    return taken


def step(choice: Choice) -> None:
    """Forward, backward and an update on a tiny image of odd sides: all finite, and something has changed."""
    torch.manual_seed(0)
    model = built(choice, part("backbone", choice[0])).train()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    output = model(torch.rand(2, 3, 33, 49))
    assert output.shape == (2, CLASSES, 33, 49)
    torch.nn.functional.cross_entropy(output, torch.randint(CLASSES, (2, 33, 49))).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all(), f"{choice}: {name}"
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    changed = [not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True)]
    assert sum(changed) > len(changed) / 2


def test_one_real_step_with_every_decoder_and_every_upsampling():
    choices = small()
    for choice in choices:
        step(choice)
    assert {choice[2] for choice in choices} == set(names("upsample"))
    only = {"segnet_basic"}  # whose backbone is its own
    assert {choice[1] for choice in choices} >= set(names("decoder")) - only


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_one_real_step_with_every_pair_of_parts(tally):
    every = [(b, d, u) for b in names("backbone") for d in names("decoder") for u in names("upsample")]
    fitting = [choice for choice in every if verdict(choice) is None]
    choices = list(covering(fitting))
    for choice in choices:
        step(choice)
    tally("real steps that cover every pair", tried=len(choices), failed=0, combinations=len(fitting))
