"""What the final project asks for, in numbers. A course that wants others passes options, or changes this file. Data only."""

SEED = 0  # of the random codes: the same for everybody, so that nobody picks samples
SAMPLES = 64  # images in samples.png
MEASURED = 1000  # images that the measures look at, made from the same seed
MINUTES = 120.0  # of training, as the history counts them
DIFFERENCE = 3.0  # of 255: how far an image made anew may be from the one handed in, on average over its pixels
CLAIM_SHARE, CLAIM_LEAST = 0.05, 0.02  # how far a claimed number may be from the one computed: a share of it, or so much

FACES = 12_000  # of the data set, from which the validation and test images of the measures come; training may use more

SECTIONS = {  # of the model card, and what each says
    "Data": "which images, how many for training, where they come from, under which licence, who is shown in them and who is not, "
    "and whether these people have agreed",
    "Training": "the model and its options, the number of epochs and minutes, the machine, and how the weights that you hand in were chosen",
    "Quality": "the distance, its number of images and the distance of the course's model, and what a person sees in the samples",
    "Groups": "the share of a group among your images and among the validation images, with its standard error, and a reason for a difference",
    "Limits": "what the model cannot do, which of its images are broken and how often, and what its numbers do not say",
    "Use": "what the model may be used for, what it must not be used for, and whether its images could harm anybody",
}
SECTION_WORDS = 15  # of each section, at least
REPORT_WORDS = (600, 1500)  # of the report, at least and at most

TASKS = ("recipe", "own")
WEIGHTS = (".weights.h5", ".npz")  # the only files in which weights are read: they hold numbers and no code
RECIPES = {"drawn": "gan-drawn64", "CelebA": "gan-celeba64"}  # the model to beat, by the faces

MAX_SIZE = 256  # pixels a side of the images
MAX_WIDTH = 4096  # of a layer, a kernel or a code: a model beyond that would only fill the memory

MIB = 2**20
LARGEST = {  # bytes that are read of a file of the hand-in
    "project.toml": MIB // 10, "run.json": MIB // 4, "history.json": 4 * MIB, "card.md": MIB // 4, "report.md": MIB, "samples.png": 16 * MIB,
    "images.npz": 200 * MIB, "weights": 400 * MIB,
}  # fmt: skip
