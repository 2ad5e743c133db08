"""Muon for the blocks' matrices (orthogonalised momentum, in stacks of equal shape), AdamW for everything else."""

import torch

STEPS = ((3.4445, -4.7750, 2.0315),) * 5


def orthogonal(stack: torch.Tensor) -> torch.Tensor:
    """Newton-Schulz iteration towards the nearest orthogonal matrix of each (rows <= columns)."""
    x = stack.bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for a, b, c in STEPS:
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x


class Muon:
    """Updates of root mean square 0.2, so that one learning rate suits Muon and AdamW."""

    def __init__(self, matrices: list[torch.nn.Parameter], fast: bool):
        self.groups: dict[tuple, list] = {}
        for matrix in matrices:
            square = matrix.shape[0] % matrix.shape[1] == 0 and matrix.shape[0] != 4 * matrix.shape[1]
            for part in range(matrix.shape[0] // matrix.shape[1] if square else 1):
                rows = slice(part * matrix.shape[1], (part + 1) * matrix.shape[1]) if square else slice(None)
                shape = (matrix.shape[1], matrix.shape[1]) if square else tuple(matrix.shape)
                self.groups.setdefault(shape, []).append((matrix, rows))
        self.momentum = {shape: torch.zeros(len(group), *shape, device=group[0][0].device) for shape, group in self.groups.items()}
        self.orthogonal = torch.compile(orthogonal, dynamic=False) if fast else orthogonal

    @torch.no_grad()
    def step(self, rate: float) -> None:
        for shape, group in self.groups.items():
            gradient = torch.stack([matrix.grad[rows] for matrix, rows in group])
            momentum = self.momentum[shape].lerp_(gradient, 0.05)
            update = gradient.lerp_(momentum, 0.95)
            tall = shape[0] > shape[1]
            update = self.orthogonal(update.mT if tall else update)
            update = (update.mT if tall else update).float()
            views = [matrix[rows] for matrix, rows in group]
            torch._foreach_mul_(views, 1 - 0.01 * rate)
            torch._foreach_add_(views, list(update.unbind(0)), alpha=-rate * 0.2 * max(shape) ** 0.5)


class Optimizer:
    def __init__(self, model: torch.nn.Module, fast: bool):
        matrices = [p for name, p in model.named_parameters() if name.startswith("joint_blocks") and p.ndim == 2]
        chosen = {id(p) for p in matrices}
        self.muon = Muon(matrices, fast)
        self.adam = torch.optim.AdamW([p for p in model.parameters() if id(p) not in chosen], betas=(0.9, 0.98), weight_decay=0.0, fused=fast)

    def step(self, rate: float) -> None:
        self.muon.step(rate)
        for group in self.adam.param_groups:
            group["lr"] = rate
        self.adam.step()

    def state(self) -> dict:
        return {"momentum": self.muon.momentum, "adam": self.adam.state_dict()}

    def load(self, state: dict) -> None:
        for shape, momentum in state["momentum"].items():
            self.muon.momentum[shape].copy_(momentum)
        self.adam.load_state_dict(state["adam"])
