"""Augmentations of training images that a config can name, one file each. Reading the table needs no TensorFlow."""

from trainkit.registry import Registry

AUGMENTATIONS = Registry(
    "augmentation",
    {
        "RandomFlip": "trainkit.data.augment.flip:RandomFlip",
        "RandomTranslation": "trainkit.data.augment.translation:RandomTranslation",
        "RandomRotation": "trainkit.data.augment.rotation:RandomRotation",
        "RandomZoom": "trainkit.data.augment.zoom:RandomZoom",
        "RandomContrast": "trainkit.data.augment.contrast:RandomContrast",
        "RandomBrightness": "trainkit.data.augment.brightness:RandomBrightness",
        "Cutout": "trainkit.data.augment.cutout:Cutout",
        "MixUp": "trainkit.data.augment.mixup:MixUp",
        "CutMix": "trainkit.data.augment.cutmix:CutMix",
    },
)
