"""Nothing but the clip proves anything about a network."""

import json
from dataclasses import replace
from fractions import Fraction as F
from types import SimpleNamespace

import numpy as np
import pytest

from certaudit.check.checker import Checker
from certaudit.check.document import seal
from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim, SensitivityClaim
from certaudit.kernel.iteration import composition
from certaudit.kernel.law import affine_law
from certaudit.kernel.sensitivity import per_instance
from certaudit.kernel.spectrum import curvature
from certaudit.kernel.statement import NotApplicable, PremiseFailed
from certaudit.prove.evidence import Evidence
from certaudit.prove.published import THEOREMS
from certaudit.prove.verify import verify
from certaudit.rank import NotRankable, rank
from certaudit.report import saved
from certaudit.run import Batch, Clip, Network, Phase, Reference, Request, Run, Start
from certaudit.verdict import Status

MLP = Network("mlp", (5,), "tanh")
CNN = Network("cnn", (2,), "relu", (3, 4), 2)


def run(network=MLP, **changes):
    rng = np.random.default_rng(4)
    phase = Phase(4, F(1, 2), F(1, 25), ((0, 1, 2), (3, 4, 5)))
    size = network.parameters(12, 3)
    values = {
        "X": rng.normal(size=(6, 12)),
        "y": np.array([0.0, 1.0, 2.0, 0.0, 1.0, 2.0]),
        "loss": "network",
        "l2": F(1, 100),
        "normalizer": "fixed",
        "learn": phase,
        "requests": (Request((1,), replace(phase, steps=2)),),
        "start": Start((F(0),) * size, F(1, 25)),
        "projection": None,
        "clip": Clip(F(1, 10), False),
        "reference": Reference("unlearn-retrained", 4),
        "release": "final",
        "classes": 3,
        "network": network,
    }
    return Run(**{**values, **changes})


CLAIMS = [
    EpsilonDelta("e", F(100), F(1, 10**5)),
    RenyiClaim("r", F(4), F(100)),
    GaussianClaim("g", F(10), F(0)),
    SensitivityClaim("s", 1, F(1), F(0)),
]


def test_parameters_are_those_of_torchs_state_dict():
    from torch import nn

    mlp = nn.Sequential(nn.Linear(12, 5), nn.Tanh(), nn.Linear(5, 3))
    cnn = nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 2 * 3, 3))
    for ours, theirs in ((MLP, mlp), (CNN, cnn)):
        shapes = [tuple(p.shape) for p in theirs.state_dict().values()]
        assert list(ours.shapes(12, 3)) == shapes
        assert ours.parameters(12, 3) == run(ours).parameters == sum(map(int, map(np.prod, shapes)))


@pytest.mark.parametrize("network", [MLP, CNN], ids=["mlp", "cnn"])
def test_the_clip_alone_proves(network):
    """Row 1 takes part in steps 1 and 3, each shifted by at most eta C/N = 1/60 under std 1/5."""
    case = run(network)
    verdicts = verify(Evidence(case), CLAIMS)
    assert all(v.status is Status.PROVED for v in verdicts)
    statement = composition(per_instance(case))
    assert float(statement.ball("mu_squared")) == pytest.approx(2 * (1 / 60) ** 2 / (1 / 25))
    rules = {s.rule.id for v in verdicts for b in v.bounds for s in b.statements}
    assert rules <= {"I1", "I2", "S1", "S2", "S1-drift", "R1", "C5"}


@pytest.mark.parametrize(
    "changes",
    [
        {"clip": None},
        {"clip": None, "projection": F(1)},
        {"clip": None, "normalizer": "current"},
        {"clip": None, "release": "every-step"},
    ],
    ids=str,
)
def test_without_a_clip_nothing_is_proved(changes):
    for verdict in verify(Evidence(run(**changes)), CLAIMS):
        assert verdict.status in (Status.PREMISE_FAILED, Status.NOT_PROVED)
        assert not any(bound.value is not None for bound in verdict.bounds)


def test_rules_about_the_loss_refuse_a_network():
    case = run()
    with pytest.raises(NotApplicable, match="no known curvature"):
        curvature(case, Batch(None, ()), F(0), F(100), [1.0] * 12, [1.0] * 12)
    with pytest.raises(NotApplicable, match="ridge"):
        affine_law(case)
    with pytest.raises(PremiseFailed, match="without a clip"):
        per_instance(run(clip=None))


@pytest.mark.parametrize("theorem", THEOREMS)
@pytest.mark.parametrize("changes", [{}, {"clip": None}], ids=["clipped", "free"])
def test_every_named_theorem_gives_an_answer(theorem, changes):
    for claim in CLAIMS[:2]:
        (verdict,) = verify(Evidence(run(**changes)), [replace(claim, theorem=theorem)])
        assert verdict.named is not None
        if theorem not in ("koloskova-2025", "sepahvand-2025"):
            assert verdict.named.failed


def test_rank_says_why_it_does_not_rank():
    with pytest.raises(NotRankable, match="network"):
        rank(run(), F(1, 10**5))


def test_derivations_are_checked_again_and_forgeries_refused():
    case = run()
    verdicts = verify(Evidence(case), CLAIMS[:2])
    loaded = SimpleNamespace(spec=SimpleNamespace(name="n"), sha256="0" * 64)
    content = json.loads(
        json.dumps(
            saved.document(
                SimpleNamespace(case=SimpleNamespace(run=case, loaded=loaded), verdicts=verdicts)
            )
        )
    )
    assert Checker().check(content).accepted
    for key, value in (
        ("loss", "softmax"),
        ("network", None),
        ("clip", None),
        ("classes", 4),
        ("network", {**content["run"]["network"], "widths": [6]}),
        ("network", {**content["run"]["network"], "image": [3, 4]}),
    ):
        forged = {**content, "run": {**content["run"], key: value}}
        assert not Checker().check({**forged, "sha256": seal(forged)}).accepted, key
