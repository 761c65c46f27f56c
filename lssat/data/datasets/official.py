"""The official counts of the releases: the one place for each, with its source.

Readers take what a tree's own lists name; `lssat doctor` and the documentation hold a tree to
these counts. Fakes of each method are as many as originals, two for each pair.
"""

# FaceForensics++ (Roessler et al. 2019, section 4; the lists of the authors' repository).
FFPP_PAIRS = {"train": 360, "val": 70, "test": 70}
FFPP_ORIGINALS = {"train": 720, "val": 140, "test": 140}  # 1,000; and so are each method's fakes

# DeepFakeDetection (Dufour and Gully 2019), released with FaceForensics++; no official split.
DFD = {"actors": 363, "DeepFakeDetection": 3_068}
DFD_ACTORS = 28

# Celeb-DF v2 (Li et al. 2020): videos of each folder, and those of List_of_testing_videos.txt.
CELEBDF = {"Celeb-real": 590, "YouTube-real": 300, "Celeb-synthesis": 5_639}
CELEBDF_TEST = {"Celeb-real": 108, "YouTube-real": 70, "Celeb-synthesis": 340}  # 518

# DFDC (Dolhansky et al. 2020): the 50 training parts, and the public test set of 5,000 videos.
DFDC = {
    "train": {"REAL": 19_154, "FAKE": 100_000},
    "test": {"REAL": 2_500, "FAKE": 2_500},
}

# CelebA (Liu et al. 2015): list_eval_partition.txt, identity_CelebA.txt.
CELEBA = {"train": 162_770, "val": 19_867, "test": 19_962}  # 202,599
CELEBA_IDENTITIES = 10_177

# AffectNet (Mollahosseini et al. 2017), manually annotated: rows of training.csv and
# validation.csv by expression code (table 3 of the paper, less the 500 a class of validation).
AFFECTNET_CSV = {
    "train": {
        "0": 74_874,
        "1": 134_415,
        "2": 25_459,
        "3": 14_090,
        "4": 6_378,
        "5": 3_803,
        "6": 24_882,
        "7": 3_750,
        "8": 33_088,
        "9": 11_645,
        "10": 82_415,
    },
    "val": {str(code): 500 for code in range(11)},
}
# The npy release holds the eight classes alone: 287,651 and 3,999 (papers report 499 Contempt).
AFFECTNET_NPY = {
    "train": {str(code): AFFECTNET_CSV["train"][str(code)] for code in range(8)},
    "val": {**{str(code): 500 for code in range(7)}, "7": 499},
}
