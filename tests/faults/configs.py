"""Trainings of a second that have everything a resume can get wrong."""

from __future__ import annotations

RANDOM_LAYERS = "- Dropout: {rate: 0.2}"

HEAD = f"""\
version: 1
name: small
seed: 5
data:
  source: Sample
  batch_size: 200
  validation_split: 0.1
  augment:
    - RandomTranslation: {{height_factor: 0.1, width_factor: 0.1}}
model:
  input: [28, 28, 1]
  preprocess:
    - Rescaling: {{scale: $(1/255)}}
  layers:
    - Conv2D: {{filters: 4, kernel_size: 5, strides: 3, use_bias: false}}
    - BatchNormalization
    - ReLU
    - Flatten
    {RANDOM_LAYERS}
    - Dense: {{units: $classes, activation: softmax}}
      name: digit
training:
  loss: SparseCategoricalCrossentropy
  metrics: [SparseCategoricalAccuracy]
  determinism: strict
"""

STOPPED = f"""{HEAD}
  epochs: 8
  steps_per_epoch: 7
  gradient_accumulation_steps: 3
  optimizer: {{Adam: {{learning_rate: {{CosineDecay: {{initial_learning_rate: 1e-2}}}}, use_ema: true}}}}
  checkpoints: {{every_steps: 3}}
  callbacks:
    - EarlyStopping: {{monitor: val_loss, mode: max, patience: 3, restore_best_weights: true}}
    - CSVLogger: {{filename: epochs.csv}}
"""
"""Ends after four of eight epochs: a stopping that waits for a higher loss waits in vain."""

PLATEAU = f"""{HEAD}
  steps: 33
  steps_per_epoch: 6
  optimizer: {{SGD: {{learning_rate: 0.1, momentum: 0.9, nesterov: true}}}}
  checkpoints: {{every_steps: 4, every_epochs: 2, keep: 3}}
  best: {{monitor: val_sparse_categorical_accuracy, mode: max}}
  callbacks:
    - ReduceLROnPlateau: {{monitor: loss, mode: max, patience: 2, cooldown: 1, factor: 0.5}}
    - CSVLogger: {{filename: epochs.csv}}
"""
"""The rate is halved twice; the last epoch is a short one."""

CONSTANT = f"""{HEAD}
  epochs: 8
  steps_per_epoch: 5
  optimizer: {{RMSprop: {{learning_rate: 2e-3}}}}
"""

BRIEF = f"""{HEAD}
  epochs: 3
  steps_per_epoch: 3
  optimizer: {{Adam: {{learning_rate: 1e-2, use_ema: true}}}}
  checkpoints: {{every_steps: 2}}
  callbacks:
    - EarlyStopping: {{monitor: loss, patience: 2, restore_best_weights: true}}
"""

SEEDED = f"""{HEAD.replace("strict", "seeded")}
  epochs: 4
  steps_per_epoch: 7
  optimizer: {{SGD: {{learning_rate: 0.0}}}}
  checkpoints: {{every_steps: 3}}
  callbacks:
    - TensorBoard: {{update_freq: 1}}
"""
"""Nothing is learned: the loss of a batch says which one it was, and how it was augmented."""

CONFIGS = {"stopped": STOPPED, "plateau": PLATEAU, "constant": CONSTANT, "brief": BRIEF, "seeded": SEEDED}
