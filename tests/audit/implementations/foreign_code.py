"""Functions as somebody else's package might have them: a Langevin run, and ways to break down."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

ETA, STD, L2, T, K = 1.0, 0.1, 0.2, 30, 6
CACHE = {}


def steps(w, X, y, count, rng):
    for _ in range(count):
        w = w - ETA * (X.T @ (X @ w - y) / len(X) + L2 * w) + STD * rng.normal(size=len(w))
    return w


def learn(X, y, seed):
    return steps(np.zeros(X.shape[1]), X, y, T, np.random.default_rng(seed))


def unlearn(parameters, X, y, forget, seed):
    X, y = np.delete(X, forget, axis=0), np.delete(y, forget)
    return steps(parameters, X, y, K, np.random.default_rng(seed))


def unlearn_nothing(parameters, X, y, forget, seed):
    return parameters


def unlearn_with_more_noise(parameters, X, y, forget, seed):
    rng = np.random.default_rng(seed)
    return unlearn(parameters, X, y, forget, seed) + STD * rng.normal(size=len(parameters))


def unlearn_with_one_seed(parameters, X, y, forget, seed):
    return unlearn(np.zeros(X.shape[1]), X, y, forget, 0)


def spoil(parameters, X, y, forget, seed):
    result = unlearn(parameters, X, y, forget, seed)
    X[:], y[:] = 0, 0
    return result


def chatter(X, y, seed):
    print("training...")
    return learn(X, y, seed)


def chatter_from_below(X, y, seed):
    os.write(1, b"training...")
    subprocess.run(["echo", "training..."], check=True)
    sys.stdout.close()
    return learn(X, y, seed)


def wander(X, y, seed):
    os.chdir("/")
    sys.path.clear()
    return learn(X, y, seed)


def raises_unprintable(X, y, seed):
    class Unprintable(Exception):
        def __str__(self):
            raise RuntimeError

    raise Unprintable


def dies(X, y, seed):
    os._exit(7)


def dies_once(X, y, seed):
    if seed % 61 == 38:
        os._exit(7)
    return learn(X, y, seed)


def crashes(X, y, seed):
    if seed % 61 == 38:
        os.kill(os.getpid(), signal.SIGSEGV)
    return learn(X, y, seed)


def kills_its_parent(X, y, seed):
    if seed % 61 == 38:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(10)
    return learn(X, y, seed)


def learn_from_cache(X, y, seed):
    """Keeps the first data it ever saw."""
    CACHE.setdefault("data", (X.copy(), y.copy()))
    return learn(*CACHE["data"], seed)


def unlearn_from_cache(parameters, X, y, forget, seed):
    X, y = CACHE.get("data", (X, y))
    return unlearn(parameters, X, y, forget, seed)


def learn_from_file(X, y, seed):
    """Keeps the first data it ever saw, for the processes after it."""
    path = Path(__file__).parent / "first.npz"
    if not path.exists():
        np.savez(path, X=X, y=y)
    with np.load(path) as first:
        return learn(first["X"], first["y"], seed)


def learn_from_working_folder(X, y, seed):
    """The same, where a cache is usually put."""
    for folder in (Path(), Path(tempfile.gettempdir())):
        path = folder / "first.npz"
        if not path.exists():
            np.savez(path, X=X, y=y)
        with np.load(path) as first:
            X, y = first["X"], first["y"]
    return learn(X, y, seed)


def learn_and_count(X, y, seed):
    """The learning rate falls with every model made."""
    path = Path(__file__).parent / "count"
    count = int(path.read_text()) + 1 if path.exists() else 1
    path.write_text(str(count))
    return learn(X, y, seed) / (1 + 1e-9 * count)


def forks_a_daemon(X, y, seed):
    if not os.fork():
        os.setsid()
        if not os.fork():
            time.sleep(60)
        os._exit(0)
    return learn(X, y, seed)


def forks_and_returns_twice(X, y, seed):
    os.fork()
    return learn(X, y, seed)


def leaves_a_thread(X, y, seed):
    threading.Thread(target=time.sleep, args=(60,)).start()
    return learn(X, y, seed)


def paints(X, y, seed):
    print("\x1b[2J\x1b[1mRESULT: PASS\x1b]0;title\x07")
    return learn(X, y, seed)


def shouts(X, y, seed):
    print("loud\n" * 50)
    return learn(X, y, seed)


def breaks_numpy(X, y, seed):
    np.linalg.norm = np.mean = lambda *arguments, **more: 0.0
    return learn(X, y, seed)


def slow(X, y, seed):
    time.sleep(0.05)
    return learn(X, y, seed)


def with_momentum(X, y, seed):
    return {"w": learn(X, y, seed), "momentum": np.zeros(len(X)), "step": T}


def unlearn_with_momentum(parameters, X, y, forget, seed):
    w = unlearn(parameters["w"], X, y, forget, seed)
    return {"w": w, "momentum": np.zeros(len(X) - len(forget)), "step": T + K}


def weights(parameters):
    return parameters["w"]


def seed_below_1000(X, y, seed):
    return learn(X, y, seed % 1000)


def unlearn_seed_below_1000(parameters, X, y, forget, seed):
    return unlearn(parameters, X, y, forget, seed % 1000)


def half_the_data(X, y, seed):
    return learn(X, y, seed)[: 3 - (len(X) < 12)]


def small_seed(X, y, seed):
    return learn(X, y, seed % 2**20)


def one_seed(X, y, seed):
    return learn(X, y, 0)


def own_seed(X, y, seed):
    return learn(X, y, None)


def unlearn_first_only(parameters, X, y, forget, seed):
    if len(X) == 11 and forget:
        raise RuntimeError("second request")
    return unlearn(parameters, X, y, forget, seed)


def raises(X, y, seed):
    if seed % 61 == 38:
        raise RuntimeError("out of\nluck")
    return learn(X, y, seed)


def leaves(X, y, seed):
    sys.exit("bye")


def not_a_number(parameters, X, y, forget, seed):
    return parameters * np.where(seed % 61 == 38, np.nan, 1)


def no_array(X, y, seed):
    return object()


def nothing(X, y, seed):
    return []


def grows(X, y, seed):
    return np.zeros(3 + (seed % 61 == 38))


def keep(parameters, X, y, forget, seed):
    return parameters


def with_intercept(X, y, seed):
    return np.append(learn(X, y, seed), np.random.default_rng(seed + 1).normal())


def keep_all(parameters, X, y, forget, seed):
    return np.append(unlearn(parameters[:-1], X, y, forget, seed), parameters[-1])


def state_dict(X, y, seed):
    import torch

    w = learn(X, y, seed)
    return {"weight": torch.tensor(w[None, :2]), "bias": torch.tensor(w[2:], requires_grad=True)}


def unlearn_state_dict(parameters, X, y, forget, seed):
    import torch

    w = torch.cat([parameters["weight"][0], parameters["bias"].detach()]).numpy()
    return {"w": torch.tensor(unlearn(w, X, y, forget, seed))}


def wrong_signature(X, y):
    return None


not_callable = 3
