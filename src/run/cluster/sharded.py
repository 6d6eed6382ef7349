"""Fully sharded data parallelism (Zhao et al., 2023), in PyTorch's second form: for models that do not fit a device."""

from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from lightning.pytorch import LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.plugins.layer_sync import LayerSync
from lightning.pytorch.strategies import ModelParallelStrategy
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor
from torch.optim import Optimizer

from src.run import checkpoint

_UNIT = 1_000_000  # parameters from which on a layer is gathered by itself, when its turn comes
_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


class Sharded(ModelParallelStrategy):
    """Weights, gradients and the optimizer's state are divided over all processes; a batch is too, as in DDP.

    A checkpoint is one file, the same as that of any other strategy: each goes on from what the others wrote.
    """

    _layer_sync: LayerSync | None = None  # Lightning puts here what trainer.sync_batchnorm=true asks for

    def __init__(self) -> None:
        """As `trainer=fsdp` has it; Lightning says the rest."""
        super().__init__(save_distributed_checkpoint=False)
        self._last = False  # whether the model's weights were channels last before it was divided

    def setup_environment(self) -> None:
        """Lightning calls this when it knows how many processes there are.

        Raises:
            ValueError: there is but one.
        """
        count = self.num_nodes * self.num_processes
        if count == 1:
            raise ValueError(
                "trainer=fsdp divides a model over processes, and there is one: say trainer.devices=2 or more, or "
                "trainer=default"
            )
        self._data_parallel_size, self._tensor_parallel_size = count, 1
        super().setup_environment()

    def divide(self, module: LightningModule) -> None:
        """Divide the model of a task, in place.

        Raises:
            ValueError: something outside of the model learns, and would be another thing in each process.
        """
        if self._layer_sync:
            self._layer_sync.apply(module.model)
        self._last = any(p.ndim == 4 and not p.is_contiguous() for p in module.model.parameters())
        module.model.to(memory_format=torch.contiguous_format)  # channels last, weights cannot be divided; images stay
        mesh = self.device_mesh["data_parallel"]
        for part in _units(module.model):
            fully_shard(part, mesh=mesh)
        fully_shard(module.model, mesh=mesh)
        own = [name for name, p in module.named_parameters() if p.requires_grad and not isinstance(p, DTensor)]
        if own:
            raise ValueError(
                f"trainer=fsdp divides the model, and {', '.join(own)} is learnt outside of it: take trainer=ddp, or "
                "weights that are not learnt"
            )

    def on_validation_start(self) -> None:
        """Every process evaluates the whole model: one may have more images than another, and would wait for it.

        The statistics of batch norm are those that are saved, of the first process.
        """
        for part in self._divided():
            part.set_reshard_after_forward(False, recurse=False)
            part.unshard()
        for buffer in self.model.buffers():
            dist.broadcast(buffer, src=0)

    def on_validation_end(self) -> None:
        """Each has its part again."""
        for part in self._divided():
            part.set_reshard_after_forward(True, recurse=False)
            part.reshard()

    def _divided(self) -> list[FSDPModule]:
        """The outermost first, as they have to be."""
        return [part for part in self.model.modules() if isinstance(part, FSDPModule)]

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        """The whole state on the first process, numbered as the optimizer itself would; an empty one on others."""
        inner = optimizer._optimizer if isinstance(optimizer, LightningOptimizer) else optimizer
        named = get_optimizer_state_dict(self.model, inner, options=_WHOLE)
        if not named:
            return {}
        order = {name: number for number, name in enumerate(n for g in named["param_groups"] for n in g["params"])}
        # A fused kernel of the strategies that do not divide goes through weights and state as they lie in memory.
        layout = torch.channels_last if self._last else torch.contiguous_format
        state = {
            order[name]: {key: v.contiguous(memory_format=layout) if v.ndim == 4 else v for key, v in values.items()}
            for name, values in named["state"].items()
        }
        groups = [g | {"params": [order[name] for name in g["params"]]} for g in named["param_groups"]]
        return {"state": state, "param_groups": groups}

    def load_checkpoint(self, checkpoint_path: str | Path, weights_only: bool | None = None) -> dict[str, Any]:
        """A checkpoint's contents, with the weights and the optimizers' states where they belong."""
        contents = checkpoint.load(Path(checkpoint_path))
        set_model_state_dict(self.model, contents["state_dict"], options=_WHOLE)
        names = {id(parameter): name for name, parameter in self.model.named_parameters()}
        for optimizer, stored in zip(self.optimizers, contents.get("optimizer_states", ()), strict=False):
            order = [names[id(parameter)] for group in optimizer.param_groups for parameter in group["params"]]
            state = {order[number]: values for number, values in stored["state"].items()}
            groups = [g | {"params": [order[number] for number in g["params"]]} for g in stored["param_groups"]]
            named = {"state": state, "param_groups": groups}
            set_optimizer_state_dict(self.model, optimizer, named, options=_WHOLE)
            for group, said in zip(optimizer.param_groups, stored["param_groups"], strict=True):
                group |= {key: value for key, value in said.items() if key != "params"}  # pairs came back as lists
        return contents


def _units(model: nn.Module) -> list[nn.Module]:
    """The large layers; what only lends its weights to another module is gathered with the rest."""
    lenders = [whole for whole in model.modules() if isinstance(whole, nn.MultiheadAttention)]
    lent = {part for whole in lenders for part in whole.modules()}
    leaves = [part for part in model.modules() if not any(part.children()) and part not in lent]
    return [part for part in leaves if sum(parameter.numel() for parameter in part.parameters()) >= _UNIT]
