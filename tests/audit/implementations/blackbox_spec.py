"""A spec whose implementation stands beside it."""

SPEC = """certaudit: 1
name: foreign
data: {{source: "npz:data.npz"}}
model: {{loss: ridge, l2: 0.2, normalizer: current}}
learn: {{steps: 30, step_size: 1, noise: {{std: 0.1}}, start: zeros}}
forget: {forget}
{unlearn}
reference: {reference}
claims:
  - {{id: issued, epsilon: {epsilon}, delta: 0.001}}
implementation: {{learn: "foreign_code:{learn}", unlearn: "foreign_code:{unlearner}"{release}}}
audit: {{shadows: 64}}
"""
ONCE = "unlearn: {steps: 6, step_size: 1, noise: {std: 0.1}}"
