"""How pictures are changed at random for training: settings, and what is drawn from them for each example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from dlspec.recipe.component import Section
from dlspec.types import Arrays, Place, RecipeError

if TYPE_CHECKING:
    import numpy as np

    from dlspec.numeric.augmentation import Changes

DRAWS = (
    "flip_across", "flip_down", "right", "down", "rotate", "shear", "zoom", "stretch", "crop", "crop_x", "crop_y",
    "brightness", "contrast", "saturation", "hue", "grayscale", "noise", "noise_pixels", "blur", "cutout_x", "cutout_y",
    "partner", "cut", "share", "window_x", "window_y", "mosaic", "mosaic_parts",
)  # fmt: skip
"""What is drawn for an example, each at a place of its own: a setting that is turned on changes no other draw.  A new
one goes to the end."""


class Augment(Section):
    """Random changes of training pictures: drawn anew for each example and epoch; nothing is on unless given.

    They happen in this order: crop; flip, stretch, zoom, shear and rotate about the middle; shift (these are one map,
    and the picture is sampled once); blur; colour; noise; cutout; mixup or cutmix; mosaic.  Boxes, points and masks
    move along.
    """

    flip: Literal["none", "horizontal", "vertical", "both"] = "none"
    """turn half of the pictures over. horizontal: left for right; vertical: top for bottom; both: each on its own"""
    shift: float = Field(0.0, ge=0, le=0.5)
    """move by up to this share of the width, and of the height; by whole pixels, where only flip and shift are on"""
    rotate: float = Field(0.0, ge=0, le=180)
    """turn by up to so many degrees, either way"""
    zoom: float = Field(0.0, ge=0, lt=1)
    """enlarge or shrink: 0.2 is from 0.8 to 1 / 0.8 = 1.25 times the size, as often larger as smaller"""
    stretch: float = Field(0.0, ge=0, lt=1)
    """change width against height: with 0.25 their ratio becomes 3/4 to 4/3 of what it was, at the same area"""
    shear: float = Field(0.0, ge=0, le=60)
    """lean upright lines by up to so many degrees, either way"""
    crop: float = Field(1.0, gt=0, le=1)
    """cut out a part of the same proportions, anywhere, and bring it back to full size: 0.5 keeps from half of the
    area to all of it.  With stretch it is much as in Szegedy et al. 2015 (there crop: 0.08, stretch: 0.25)"""
    fill: Literal["nearest", "reflect", "black"] = "nearest"
    """what fills the places that nothing moves to. nearest: the pixel at the edge; reflect: the picture mirrored at
    its edge (objects in boxes would be seen twice); black: the lowest value, and class 0 in masks"""
    keep_boxes: float = Field(0.25, ge=0, le=1)
    """a box of which less than this share of its area is left in the picture is dropped; others are clipped"""
    blur: float = Field(0.0, ge=0, le=100)
    """blur by a Gaussian with a deviation of up to so many pixels"""
    brightness: float = Field(0.0, ge=0, le=1)
    """make lighter or darker by up to this share of the range of values"""
    contrast: float = Field(0.0, ge=0, le=1)
    """multiply distances from the picture's mean brightness by 1 - contrast to 1 + contrast"""
    saturation: float = Field(0.0, ge=0, le=1)
    """multiply distances from grey by 1 - saturation to 1 + saturation; pictures in colour alone"""
    hue: float = Field(0.0, ge=0, le=0.5)
    """turn colours by up to this share of the circle, either way, at the same brightness; pictures in colour alone"""
    grayscale: float = Field(0.0, ge=0, le=1)
    """the share of pictures that lose their colour"""
    noise: float = Field(0.0, ge=0, le=1)
    """add normal noise to each pixel and channel; its deviation is up to this share of the range of values"""
    cutout: float = Field(0.0, ge=0, le=1)
    """hide a part with sides of this share of the picture's sides under the picture's mean colour; its middle is
    anywhere, so that it may stick out (DeVries and Taylor 2017)"""
    mixup: float = Field(0.0, ge=0)
    """alpha of mixup: each picture and its label are blended with another of the batch, in shares drawn from
    Beta(alpha, alpha) (Zhang et al. 2018: 0.1 to 0.4)"""
    cutmix: float = Field(0.0, ge=0)
    """alpha of cutmix: a part of each picture is replaced by that of another of the batch, and the labels are mixed by
    area (Yun et al. 2019: 1).  With mixup: one or the other, half of the pictures each"""

    mosaic: float = Field(0.0, ge=0, le=1)
    """the share of pictures that are put together of parts of four of the batch, with their boxes (Bochkovskiy et al.
    2020): more objects a picture, in other surroundings and smaller.  For detection alone"""

    @property
    def off(self) -> bool:
        """Whether nothing is changed."""
        return self == Augment(fill=self.fill, keep_boxes=self.keep_boxes)

    @property
    def mixes(self) -> bool:
        """Whether labels come out as shares of classes, float32 (N, classes)."""
        return self.mixup > 0 or self.cutmix > 0

    def apply(
        self, batch: Arrays, seeds: np.ndarray, *, low: float = 0.0, high: float = 1.0, classes: int | None = None
    ) -> Arrays:
        """A changed batch; the arrays given are left alone, and keys that are not named here are handed on.

        `picture` (N, H, W, C), uint8, or float32 with values from `low` to `high`.  Optional: `boxes` (N, K, 4) as x0,
        y0, x1, y1 and `points` (N, K, 2) as x, y, floats, in pixels from the upper left corner (see
        dlspec.numeric.affine), absent ones NaN; `mirror` (N, K), whose place each point takes where the picture is
        mirrored (a left eye the right one's); `mask` (N, H, W), integers.  `label` is mixed by mixup and cutmix:
        class indices (N,), of `classes` classes, or floats with a row an example; it becomes float32.

        `seeds`: uint64 (N,).  What an example becomes depends on it and its seed alone; but mixup and cutmix take
        another example of the batch, so many places further on as the first seed says, and mosaic takes three that the
        example's own seed says.  With mosaic, `boxes` and `box_classes` (N, K) have four times as many rows.
        Raises RecipeError where mixup or cutmix has no labels to mix, or has boxes, points or masks, which do not mix;
        and where mosaic has no boxes with classes.
        """
        if self.off:
            return batch
        import numpy as np

        from dlspec.numeric.affine import move_boxes, move_points
        from dlspec.numeric.augmentation import changed, moved_masks

        pictures = batch["picture"]
        height, width, channels = pictures.shape[1:]
        if pictures.dtype == "uint8":
            low, high = 0.0, 255.0
        changes = self.drawn(seeds, height, width, channels)
        new = {**batch, "picture": changed(pictures, changes, low, high)}
        if changes.maps is not None:
            if "boxes" in batch:
                new["boxes"] = move_boxes(batch["boxes"], changes.maps, height, width, self.keep_boxes)
            if "points" in batch:
                new["points"] = move_points(batch["points"], changes.maps, height, width)
                if "mirror" in batch:
                    turned = np.linalg.det(changes.maps[:, :, :2]) < 0
                    partner = np.where(turned[:, None], batch["mirror"], np.arange(batch["mirror"].shape[1]))
                    new["points"] = np.take_along_axis(new["points"], partner[:, :, None], axis=1)
            if "mask" in batch:
                new["mask"] = moved_masks(batch["mask"], changes.maps, self.fill)
        new = self._mixed(new, seeds, classes) if self.mixes else new
        return self._composed(new, seeds) if self.mosaic else new

    def drawn(self, seeds: np.ndarray, height: int, width: int, channels: int) -> Changes:
        """What happens to each example, but for mixing."""
        import numpy as np

        from dlspec.numeric.augmentation import Changes
        from dlspec.numeric.colour import linear
        from dlspec.numeric.mixing import windows

        def within(name: str, most: float) -> np.ndarray:
            return _draw(seeds, name, -most, most)

        colours = noise = patches = None
        if self.brightness or self.contrast or (channels == 3 and (self.saturation or self.hue or self.grayscale)):
            contrast, saturation = 1 + within("contrast", self.contrast), 1 + within("saturation", self.saturation)
            saturation[_draw(seeds, "grayscale") < self.grayscale] = 0
            maps = linear(channels, contrast, saturation, within("hue", self.hue))
            colours = maps, contrast, within("brightness", self.brightness)
        if self.noise:
            noise = _draw(seeds, "noise", 0, self.noise), _bits(seeds, "noise_pixels")
        if self.cutout:
            shown = np.full(len(seeds), 1 - self.cutout**2)
            patches = windows(shown, _draw(seeds, "cutout_x"), _draw(seeds, "cutout_y"), height, width)
        blur = _draw(seeds, "blur", 0, self.blur) if self.blur else None
        maps = self._maps(seeds, height, width)
        return Changes(maps, self.fill, blur, colours, noise, patches)

    def _maps(self, seeds: np.ndarray, height: int, width: int) -> np.ndarray | None:
        import numpy as np

        from dlspec.numeric import affine
        from dlspec.numeric.draws import ratio

        count, sides = len(seeds), np.array([width, height])
        shift = np.stack([_draw(seeds, name, -self.shift, self.shift) for name in ("right", "down")], 1) * sides
        signs = [
            np.where(chosen & (_draw(seeds, name) < 0.5), -1.0, 1.0)
            for name, chosen in (
                ("flip_across", self.flip in ("horizontal", "both")),
                ("flip_down", self.flip in ("vertical", "both")),
            )
        ]
        middle = np.broadcast_to(sides / 2, (count, 2))
        flips = affine.about(middle, affine.scaled(*signs))
        if not (self.rotate or self.zoom or self.stretch or self.shear or self.crop < 1):
            if self.flip == "none" and not self.shift:
                return None
            shift = np.clip(np.rint(shift), -(sides // 2), sides // 2)
            return affine.joined(flips, affine.moved(*shift.T))
        parts = list[np.ndarray]()
        if self.crop < 1:
            side = np.sqrt(_draw(seeds, "crop", self.crop, 1))
            corner = np.stack([_draw(seeds, "crop_x"), _draw(seeds, "crop_y")], 1) * (1 - side)[:, None] * sides
            parts = [affine.moved(*-corner.T), affine.about(np.zeros((count, 2)), affine.scaled(1 / side, 1 / side))]
        parts.append(flips)
        if self.zoom or self.stretch:
            zoom = ratio(seeds, _place("zoom"), self.zoom)
            wider = np.sqrt(ratio(seeds, _place("stretch"), self.stretch))
            parts.append(affine.about(middle, affine.scaled(zoom * wider, zoom / wider)))
        if self.shear:
            parts.append(affine.about(middle, affine.sheared(_draw(seeds, "shear", -self.shear, self.shear))))
        if self.rotate:
            parts.append(affine.about(middle, affine.turned(_draw(seeds, "rotate", -self.rotate, self.rotate))))
        return affine.joined(*parts, affine.moved(*shift.T))

    def _mixed(self, batch: Arrays, seeds: np.ndarray, classes: int | None) -> Arrays:
        import numpy as np

        from dlspec.numeric.augmentation import mixed
        from dlspec.numeric.draws import beta
        from dlspec.numeric.mixing import kept_share, mixed_labels, partners, windows

        for name, setting in (("mixup", self.mixup), ("cutmix", self.cutmix)):
            held = [key for key in ("boxes", "points", "mask") if key in batch]
            if setting and (held or "label" not in batch):
                why = f"and cannot mix {held[0]}" if held else "and this task has none"
                raise RecipeError(
                    f"{name} mixes class labels, {why}; leave it out", where=Place(key=f"input.augment.{name}")
                )
        count, height, width = batch["picture"].shape[:3]
        # A batch of one has nobody else; with itself it stays as it is.
        step = 1 + int(_bits(seeds[:1], "partner")[0] % np.uint64(max(1, count - 1)))
        others = partners(count, step)
        cut = _draw(seeds, "cut") < (0.5 if self.mixup and self.cutmix else float(self.cutmix > 0))
        share = np.ones(count)
        for alpha, chosen in ((self.mixup, ~cut), (self.cutmix, cut)):
            if alpha:
                share[chosen] = beta(seeds[chosen], _place("share"), alpha)
        parts = windows(share, _draw(seeds, "window_x"), _draw(seeds, "window_y"), height, width)
        share = np.where(cut, kept_share(parts, height, width), share)
        new = mixed(batch["picture"], others, share, parts, cut)
        return {**batch, "picture": new, "label": mixed_labels(batch["label"], others, share, classes)}

    def _composed(self, batch: Arrays, seeds: np.ndarray) -> Arrays:
        from dlspec.numeric.mosaic import composed, composed_boxes, parts

        if "boxes" not in batch or "box_classes" not in batch:
            message = "mosaic puts pictures with boxes together, and this task is another; leave it out"
            raise RecipeError(message, where=Place(key="input.augment.mosaic"))
        height, width = batch["picture"].shape[1:3]
        chosen = _draw(seeds, "mosaic") < self.mosaic
        made = parts(_bits(seeds, "mosaic_parts"), height, width)
        boxes, classes = composed_boxes(batch["boxes"], batch["box_classes"], made, chosen, self.keep_boxes)
        return {
            **batch,
            "picture": composed(batch["picture"], made, chosen),
            "boxes": boxes,
            "box_classes": classes,
        }


def _place(name: str) -> int:
    return DRAWS.index(name)


def _draw(seeds: np.ndarray, name: str, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    from dlspec.numeric.draws import uniform

    return uniform(seeds, _place(name), low, high)


def _bits(seeds: np.ndarray, name: str) -> np.ndarray:
    from dlspec.numeric.draws import bits

    return bits(seeds, _place(name))
