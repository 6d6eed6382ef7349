"""How fast the training is and how much memory it takes, logged once an epoch."""

import time

import lightning as L
import psutil
import torch

from src.data.sample import Batch


class Throughput(L.Callback):
    """Logs train/images_per_second (over all devices), train/cpu_seconds of this process, both without evaluation, and
    train/memory_mb (the peak, of the device where there is one, else of this process)."""

    def __init__(self) -> None:
        self.images_per_second = 0.0
        self._images, self._began, self._busy = 0, 0.0, 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._images, self._began, self._busy = 0, time.monotonic(), time.process_time()
        self._seconds = self._cpu_seconds = 0.0

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: object, batch: Batch, batch_idx: int
    ) -> None:
        self._images += len(batch)
        self._seconds = time.monotonic() - self._began  # evaluation may follow within the epoch
        self._cpu_seconds = time.process_time() - self._busy

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._images == 0:
            return
        self.images_per_second = self._images * trainer.world_size / self._seconds
        pl_module.log("train/images_per_second", self.images_per_second)
        pl_module.log("train/cpu_seconds", self._cpu_seconds)
        pl_module.log("train/memory_mb", self._memory(pl_module.device) / 2**20)

    @staticmethod
    def _memory(device: torch.device) -> int:
        if device.type == "cuda":
            return torch.cuda.max_memory_allocated(device)
        return psutil.Process().memory_info().rss
