"""Shadow training against a Python loop over models, and against the noise it must draw."""

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from certaudit.session import load
from certaudit.shadows.noise import BLOCK, PhiloxNoise
from certaudit.shadows.train import train

(case,) = load([Path(__file__).parents[1] / "specs/ridge-diabetes.yaml"])
run, count = case.run, 4096

start = time.perf_counter()
train(run, "P", count)
batched = (time.perf_counter() - start) / count

stream = PhiloxNoise(0).open("P", range(count // BLOCK), run.d)
start = time.perf_counter()
for _ in range(run.learn.steps + run.unlearn.steps):
    stream.draw("learn")
noise = (time.perf_counter() - start) / count

rng = np.random.default_rng(0)
H = run.X.T @ run.X / run.n + float(run.l2) * np.eye(run.d)
b, eta = run.X.T @ run.y / run.n, float(run.learn.step_size)
std = float(run.learn.noise_variance) ** 0.5
start = time.perf_counter()
for _ in range(20):
    w = np.zeros(run.d)
    for _ in range(run.learn.steps + run.unlearn.steps):
        w = w - eta * (H @ w - b) + std * rng.standard_normal(run.d)
looped = (time.perf_counter() - start) / 20
times = {"batched": batched, "looped": looped, "noise alone": noise}
print("a chain:", ", ".join(f"{name} {value * 1e6:.0f} us" for name, value in times.items()))
print(f"looped / batched = {looped / batched:.0f}; batched / noise = {batched / noise:.1f}")
