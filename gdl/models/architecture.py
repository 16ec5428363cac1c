"""The options that all models share, and which of them fit together."""

from dataclasses import dataclass
from typing import Any

from gdl.arguments import choice, number, true_or_false, whole_number, whole_numbers
from gdl.data.pixels import check_pixel_range
from gdl.errors import CourseError

DOWNSAMPLING = ("stride", "dilation")
UPSAMPLING = ("transpose", "resize", "pixel_shuffle")
RESIDUAL = (False, True, "resnet18")


@dataclass(frozen=True)
class Architecture:
    """The options that all models share.

    image_size: height and width in pixels, a multiple of 2 ** len(filters).
    z_dim: length of the code z.
    spatial_code: whether the code is a small image: the smallest feature map with z_dim / (height * width) channels, flattened.
    filters: channels after each halving, from the image to the code.
    kernel_sizes: one size for all convolutions, or one for each entry of `filters`.
    downsampling: "stride" (convolution with stride 2) or "dilation" (convolution with
        dilation 2, then max pooling).
    upsampling: "transpose" (transposed convolution with stride 2), "resize" (nearest
        neighbour, then convolution; Odena, Dumoulin and Olah 2016) or "pixel_shuffle"
        (convolution to four times the channels, rearranged into 2x2 pixels; Shi et al. 2016).
    residual: False; True adds a block of two convolutions with a shortcut after each stage; or
        "resnet18", the structure of ResNet-18 (He et al. 2016): a first convolution, then two such blocks in
        each stage, the first of which changes the size. Filters (64, 64, 128, 256, 512) and kernel_sizes
        (7, 3, 3, 3, 3) are those of the paper.
    batch_norm: batch normalisation after each convolution (Ioffe and Szegedy 2015).
    layer_norm: layer normalisation instead (Ba, Kiros and Hinton 2016), over each image's whole
        feature map; it requires batch_norm=False.
    dropout: share of each stage's values that are set to zero in training, 0 <= dropout < 1.
    pixel_range: (0, 1), and the decoder ends in a sigmoid, or (-1, 1), and it ends in a tanh.
    Raises CourseError for options that do not fit together.

    >>> Architecture(image_size=64, filters=(32, 64, 128, 256)).feature_size
    4
    """

    image_size: int = 64
    z_dim: int = 256
    filters: tuple = (32, 64, 128, 256)
    kernel_sizes: int | tuple = 3
    downsampling: str = "stride"
    upsampling: str = "transpose"
    residual: bool | str = False
    batch_norm: bool = True
    layer_norm: bool = False
    dropout: float = 0.0
    pixel_range: tuple = (0, 1)
    spatial_code: bool = False

    def __post_init__(self):
        # lists become tuples, so that options read back from JSON equal the ones written
        kernel_sizes: Any = self.kernel_sizes
        one = not hasattr(kernel_sizes, "__iter__")
        options = {
            "image_size": whole_number("image_size", self.image_size),
            "z_dim": whole_number("z_dim", self.z_dim),
            "filters": whole_numbers("filters", self.filters),
            "kernel_sizes": whole_number("kernel_sizes", kernel_sizes) if one else whole_numbers("kernel_sizes", kernel_sizes),
            "residual": bool(self.residual) if str(self.residual) in ("0", "1") else self.residual,
            "batch_norm": true_or_false("batch_norm", self.batch_norm),
            "layer_norm": true_or_false("layer_norm", self.layer_norm),
            "dropout": number("dropout", self.dropout),
            "pixel_range": check_pixel_range(self.pixel_range),
            "spatial_code": true_or_false("spatial_code", self.spatial_code),
        }
        for name, value in options.items():
            object.__setattr__(self, name, value)
        if not self.filters:
            raise CourseError("filters is empty: give at least one number of channels, such as (32, 64, 128, 256).")
        if isinstance(self.kernel_sizes, tuple) and len(self.kernel_sizes) != len(self.filters):
            raise CourseError(
                f"kernel_sizes {self.kernel_sizes} has {len(self.kernel_sizes)} entries and filters {self.filters} "
                f"has {len(self.filters)}: give one kernel size, or one for each entry of filters."
            )
        choice("downsampling", self.downsampling, DOWNSAMPLING)
        choice("upsampling", self.upsampling, UPSAMPLING)
        choice("residual", self.residual, RESIDUAL)
        if self.residual == "resnet18" and len(self.filters) < 2:
            raise CourseError("residual='resnet18' needs at least two filters: one for the first convolution and one for each stage.")
        if self.batch_norm and self.layer_norm:
            raise CourseError("batch_norm and layer_norm are both True, and only one can be: set batch_norm=False for layer_norm.")
        if self.dropout >= 1:
            raise CourseError(f"dropout is {self.dropout}: it is a share, so give less than 1.")
        halvings = 2 ** len(self.filters)
        if self.image_size < halvings or self.image_size % halvings:
            raise CourseError(
                f"image_size {self.image_size} cannot be halved {len(self.filters)} times: with {len(self.filters)} "
                f"filters it must be a multiple of {halvings}, such as {halvings * max(1, round(self.image_size / halvings))}."
            )
        if self.spatial_code and self.z_dim % self.feature_size**2:
            size = self.feature_size
            raise CourseError(
                f"z_dim {self.z_dim} cannot be a spatial code: the smallest feature map has {size}x{size} pixels, "
                f"so give a multiple of {size**2}, such as {4 * size**2}."
            )

    @property
    def kernels(self) -> tuple[int, ...]:
        """One kernel size for each entry of `filters`."""
        return (self.kernel_sizes,) * len(self.filters) if isinstance(self.kernel_sizes, int) else self.kernel_sizes

    @property
    def feature_size(self) -> int:
        """Height and width in pixels of the smallest feature map."""
        return self.image_size // 2 ** len(self.filters)

    @property
    def code_channels(self) -> int:
        """Channels of a spatial code."""
        return self.z_dim // self.feature_size**2
