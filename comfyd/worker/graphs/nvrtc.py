"""CUDA source compiled at run time by the compiler that comes with torch, loaded and launched."""

import ctypes
import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch


class Failed(Exception):
    """A compiler or a driver call failed; says which and why."""


def compiled(source: str, architecture: str) -> bytes:
    """The source as machine code of ``architecture`` (``sm_90``)."""
    compiler = _compiler()
    program = ctypes.c_void_p()
    _check("nvrtcCreateProgram", compiler.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"comfyd.cu", 0, None, None))
    try:
        options = (ctypes.c_char_p * 1)(f"--gpu-architecture={architecture}".encode())
        if code := compiler.nvrtcCompileProgram(program, 1, options):
            log = _text(compiler.nvrtcGetProgramLogSize, compiler.nvrtcGetProgramLog, program).rstrip(b"\0").decode()
            raise Failed(f"nvrtcCompileProgram: {code} {log}".strip())
        return _text(compiler.nvrtcGetCUBINSize, compiler.nvrtcGetCUBIN, program)
    finally:
        compiler.nvrtcDestroyProgram(ctypes.byref(program))


class Kernels:
    """The kernels of a program, by name, on the device whose context this thread uses."""

    def __init__(self, binary: bytes) -> None:
        self._driver = ctypes.CDLL("libcuda.so.1")
        self._module = ctypes.c_void_p()
        self._functions: dict[str, ctypes.c_void_p] = {}
        _check("cuModuleLoadData", self._driver.cuModuleLoadData(ctypes.byref(self._module), binary))

    def launch(self, name: str, grid: tuple[int, int], threads: int, *arguments: Any) -> None:
        """On torch's current stream; tensors are given by their address (None: null), Python's numbers as 32 bits."""
        values = [_value(argument) for argument in arguments]
        pointers = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
        code = self._driver.cuLaunchKernel(self._function(name), *grid, 1, threads, 1, 1, 0, stream, pointers, None)
        _check(f"cuLaunchKernel({name})", code)

    def _function(self, name: str) -> ctypes.c_void_p:
        if name not in self._functions:
            function = ctypes.c_void_p()
            code = self._driver.cuModuleGetFunction(ctypes.byref(function), self._module, name.encode())
            _check(f"cuModuleGetFunction({name})", code)
            self._functions[name] = function
        return self._functions[name]


def _value(argument: Any) -> Any:
    if argument is None or isinstance(argument, torch.Tensor):
        return ctypes.c_void_p(None if argument is None else argument.data_ptr())
    return ctypes.c_float(argument) if isinstance(argument, float) else ctypes.c_int(argument)


def _check(call: str, code: int) -> None:
    if code:
        raise Failed(f"{call}: {code}")


def _text(size_of: Any, get: Any, program: ctypes.c_void_p) -> bytes:
    size = ctypes.c_size_t()
    _check("size of the result", size_of(program, ctypes.byref(size)))
    buffer = ctypes.create_string_buffer(size.value)
    _check("result", get(program, buffer))
    return buffer.raw


@functools.cache
def _compiler() -> ctypes.CDLL:
    """Torch's own where its wheel brought one, and else the system's; its second part is found only when it is loaded."""
    major = str(torch.version.cuda).split(".")[0]
    for folder in _folders(major):
        if (library := folder / f"libnvrtc.so.{major}").exists():
            for part in folder.glob("libnvrtc-builtins.so.*"):
                ctypes.CDLL(str(part))
            return ctypes.CDLL(str(library))
    return ctypes.CDLL(f"libnvrtc.so.{major}")


def _folders(major: str) -> Iterator[Path]:
    packages = Path(torch.__file__).parents[1]
    yield packages / "nvidia" / f"cu{major}" / "lib"
    yield packages / "nvidia" / "cuda_nvrtc" / "lib"
    yield packages / "torch" / "lib"
    yield Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"), "lib64")
