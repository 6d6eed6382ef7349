import errno

import cv2
import pytest
import torch
from torch.utils.data import DataLoader

from src.run.memory import advice, out_of_memory


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"),
        RuntimeError("MPS backend out of memory (MPS allocated: 5 GB)"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        torch.AcceleratorError("CUDA error: out of memory"),
        cv2.error("OpenCV(4.10.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 9 bytes"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
    ],
    ids=lambda error: f"{type(error).__name__} {str(error)[:30]}",
)
def test_a_lack_of_memory_is_recognised_in_whatever_dress(error):
    assert out_of_memory(error)


def test_a_real_lack_of_memory_is_recognised():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert out_of_memory(caught.value)


class Hungry:
    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> torch.Tensor:
        raise MemoryError


def test_it_is_recognised_behind_the_error_it_caused():
    with pytest.raises(MemoryError) as caught:
        list(DataLoader(Hungry(), num_workers=1))  # as a worker hands it on
    assert out_of_memory(caught.value)
    told = ValueError("sample 'a' cannot be read")
    told.__cause__ = MemoryError()
    assert out_of_memory(told)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"),
        ValueError("out of memory.png: no image"),
        OSError(errno.ENOSPC, "No space left on device"),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_nothing_else_is_taken_for_it(error):
    assert not out_of_memory(error)


def test_the_advice_names_what_to_lower_and_to_what():
    data = {"batch_size": 8, "eval_batch_size": None, "size": [180, 240]}
    told = advice({"data": data, "trainer": {"precision": "32-true", "accumulate_grad_batches": 3}})
    assert "data.batch_size=4 trainer.accumulate_grad_batches=6" in told
    assert "data.eval_batch_size=1 (now 8)" in told
    assert "trainer.precision=bf16-mixed (now 32-true)" in told
    assert "data.size=[90,120] (now [180,240])" in told


def test_the_advice_speaks_of_the_crop_where_there_is_one():
    told = advice({"data": {"batch_size": 9, "size": None}, "transform": {"crop": [512, 1024]}})
    assert "transform.crop=[256,512]" in told
    assert "data.batch_size=1 trainer.accumulate_grad_batches=9" in told


def test_nothing_is_advised_that_is_so_already():
    told = advice({"data": {"batch_size": 1, "size": None}, "trainer": {"precision": "bf16-mixed"}})
    assert "batch_size" not in told
    assert "precision" not in told
    assert "data.size=[height,width]" in told
