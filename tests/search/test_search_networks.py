"""Nothing but the clip proves anything about a network."""

import json
from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from certified import certificate, rejected

from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim, SensitivityClaim
from certaudit.core.proof import Proof
from certaudit.core.rule import NotApplicable, Nothing, PremiseFailed
from certaudit.core.rules import RULES, curvature
from certaudit.rank import NotRankable, rank
from certaudit.run import Batch, Clip, Network, Phase, Reference, Request, Run, Start
from certaudit.search.evidence import Evidence
from certaudit.search.published import THEOREMS
from certaudit.search.verify import verify
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
    proof = Proof(case)
    shifted = proof.apply("S2", (), RULES["S2"].witness(None))
    composed = proof.apply("I2", (shifted,), Nothing()).statement
    assert float(composed.mu) ** 2 == pytest.approx(2 * (1 / 60) ** 2 / (1 / 25))
    rules = {line.rule for v in verdicts for b in v.bounds for line in b.lines}
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
    proof = Proof(run())
    eye = tuple(tuple(map(float, row)) for row in np.eye(12))
    with pytest.raises(NotApplicable, match="no known curvature"):
        proof.apply("curvature", (), curvature.Witness(Batch(None, ()), eye))
    with pytest.raises(NotApplicable, match="ridge"):
        proof.apply("E1", (), RULES["E1"].witness(()))
    for rule in ("residual-law", "margin-law"):
        with pytest.raises(NotApplicable):
            proof.apply(rule, (), RULES[rule].witness("P"))
    for rule in ("S1", "S2", "S1-drift"):
        with pytest.raises(PremiseFailed, match="without a"):
            Proof(run(clip=None)).apply(rule, (), RULES[rule].witness(None))


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
    content = certificate(case, verify(Evidence(case), CLAIMS[:2]))
    assert rejected(content) == (None, None)
    network = content["run"]["network"]
    for key, value in (
        ("loss", "softmax"),
        ("network", None),
        ("clip", None),
        ("classes", 4),
        ("network", {**network, "widths": [6]}),
        ("network", {**network, "image": [3, 4]}),
    ):
        forged = json.loads(json.dumps(content))
        forged["run"][key] = value
        assert all(rejected(forged)), key
