"""The sources of data that a config can name, one file each."""

from trainkit.registry import Registry

SOURCES = Registry(
    "source",
    {
        "Sample": "trainkit.data.sources.sample:sample",
        "Mnist": "trainkit.data.sources.mnist:mnist",
        "FashionMnist": "trainkit.data.sources.fashion_mnist:fashion_mnist",
        "Idx": "trainkit.data.sources.idx:idx",
        "ImageFolder": "trainkit.data.sources.image_folder:image_folder",
        "ImageList": "trainkit.data.sources.image_list:image_list",
        "Csv": "trainkit.data.sources.csv:csv",
        "Npz": "trainkit.data.sources.npz:npz",
        "Npy": "trainkit.data.sources.npy:npy",
    },
)
