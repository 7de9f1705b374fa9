"""Colour spaces of photographs: sRGB, linear light, CIE Lab, BT.601 Y'CbCr, and the CIEDE2000 difference."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Pixels, Planes

# IEC 61966-2-1: linear sRGB to CIE XYZ, and the white point D65 that it implies.
XYZ_OF_RGB = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]],
    np.float64,
)
WHITE = XYZ_OF_RGB.sum(axis=1)
# CIE 15: the cube root of Lab becomes a line below this share of white.
EPSILON, KAPPA = 216 / 24389, 24389 / 27
# ITU-R BT.601-7, 2.5.1: luma, and the divisors of the colour differences.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
BLUE_RANGE, RED_RANGE = np.float32(1.772), np.float32(1.402)
# ITU-R BT.601-7, 2.5.3: where Y', Cb and Cr begin, and how far they reach, in full range and in studio range.
FULL = np.array([[0, 0.5, 0.5], [1, 1, 1]], np.float32)
STUDIO = np.array([[16, 128, 128], [219, 224, 224]], np.float32)


def to_unit(pixels: Pixels | Planes) -> Planes:
    """uint8 in 0..255 to float32 in 0..1; floats are taken to be in 0..1 already."""
    if pixels.dtype == np.uint8:
        return np.multiply(pixels, np.float32(1 / 255), dtype=np.float32)
    return pixels.astype(np.float32, copy=False)


def to_levels(values: npt.NDArray[np.floating[Any]]) -> Pixels:
    """Floats in 0..1 to uint8, rounded and clipped."""
    scaled: Pixels = np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)
    return scaled


def srgb_to_linear(pixels: Pixels | Planes) -> Planes:
    """sRGB values, uint8 or float in 0..1, to linear light in 0..1, float32 (IEC 61966-2-1)."""
    if pixels.dtype == np.uint8:
        return _linear_levels()[pixels]
    values = pixels.astype(np.float32, copy=False)
    curve = np.power((np.maximum(values, 0) + np.float32(0.055)) / np.float32(1.055), np.float32(2.4))
    return np.where(values <= 0.04045, values / np.float32(12.92), curve)


def linear_to_srgb(light: Planes) -> Planes:
    """Linear light in 0..1 to sRGB values in 0..1, float32; what lies outside is clipped (IEC 61966-2-1)."""
    light = np.clip(light.astype(np.float32, copy=False), 0, 1)
    curve = np.float32(1.055) * np.power(light, np.float32(1 / 2.4)) - np.float32(0.055)
    return np.where(light <= 0.0031308, light * np.float32(12.92), curve)


def rgb_to_lab(pixels: Pixels | Planes) -> Planes:
    """sRGB (..., 3), uint8 or float in 0..1, to CIE Lab under D65, float32: L in 0..100, a and b about -128..127."""
    ratios = srgb_to_linear(pixels) @ (XYZ_OF_RGB / WHITE[:, None]).T.astype(np.float32)
    curve = np.where(ratios > EPSILON, np.cbrt(ratios), (np.float32(KAPPA) * ratios + 16) / 116)
    x, y, z = curve[..., 0], curve[..., 1], curve[..., 2]
    lab: Planes = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
    return lab


def lab_to_rgb(lab: Planes) -> Planes:
    """CIE Lab (..., 3) under D65 to sRGB in 0..1, float32; colours outside sRGB are clipped."""
    y = (lab[..., 0] + 16) / 116
    curve = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    cubes = curve**3
    ratios = np.where(cubes > EPSILON, cubes, (116 * curve - 16) / np.float32(KAPPA))
    matrix = np.linalg.inv(XYZ_OF_RGB / WHITE[:, None]).T.astype(np.float32)
    return linear_to_srgb(ratios.astype(np.float32) @ matrix)


def luma(pixels: Pixels | Planes, studio: bool = False) -> Planes:
    """BT.601 Y' of RGB (..., 3), float32 in 0..1; `studio`: in 16..235, as super-resolution is measured."""
    values = to_unit(pixels) @ LUMA
    return values * np.float32(219) + np.float32(16) if studio else values


def rgb_to_ycbcr(pixels: Pixels | Planes, studio: bool = False) -> Planes:
    """BT.601 Y'CbCr of RGB (..., 3), float32.

    All three are in 0..1 with grey at Cb = Cr = 0.5 (JFIF's full range); `studio`: Y' in 16..235, Cb and Cr in 16..240.
    """
    values = to_unit(pixels)
    y = values @ LUMA
    offset, span = STUDIO if studio else FULL
    planes = np.stack([y, (values[..., 2] - y) / BLUE_RANGE, (values[..., 0] - y) / RED_RANGE], axis=-1)
    scaled: Planes = planes * span + offset
    return scaled


def ycbcr_to_rgb(planes: Planes, studio: bool = False) -> Planes:
    """The inverse of `rgb_to_ycbcr`: RGB (..., 3) float32 in 0..1, clipped."""
    offset, span = STUDIO if studio else FULL
    planes = (planes - offset) / span
    y, blue, red = planes[..., 0], planes[..., 1] * BLUE_RANGE, planes[..., 2] * RED_RANGE
    green = -(LUMA[0] * red + LUMA[2] * blue) / LUMA[1]
    rgb: Planes = np.clip(np.stack([y + red, y + green, y + blue], axis=-1), 0, 1)
    return rgb


def delta_e_2000(first: Planes, second: Planes) -> Planes:
    """CIEDE2000 colour difference of two Lab arrays (..., 3), float32 (...); about 1 is just noticeable.

    Source: Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula", 2005, equations 2 to 22, weights of 1.
    """
    l1, a1, b1 = (first[..., axis].astype(np.float64) for axis in range(3))
    l2, a2, b2 = (second[..., axis].astype(np.float64) for axis in range(3))
    stretch = 1.5 - 0.5 * _seventh((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2)  # 1 + G, eq. 4 and 5
    c1, c2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    h1, h2 = np.arctan2(b1, a1 * stretch), np.arctan2(b2, a2 * stretch)
    grey = c1 * c2 == 0
    turn = np.where(grey, 0, (h2 - h1 + np.pi) % (2 * np.pi) - np.pi)  # eq. 10
    hue = np.where(grey, h1 + h2, h1 + turn / 2)  # eq. 14, up to whole turns, which only eq. 16 must not have
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    deviation = (np.degrees(hue) % 360 - 275) / 25
    rotation = -np.sin(np.radians(60) * np.exp(-(deviation**2))) * 2 * _seventh(chroma)  # eq. 16 to 18 and 21
    tint = (
        1
        - 0.17 * np.cos(hue - np.radians(30))
        + 0.24 * np.cos(2 * hue)
        + 0.32 * np.cos(3 * hue + np.radians(6))
        - 0.20 * np.cos(4 * hue - np.radians(63))
    )  # eq. 15
    off_grey = (lightness - 50) ** 2
    dl = (l2 - l1) / (1 + 0.015 * off_grey / np.sqrt(20 + off_grey))
    dc = (c2 - c1) / (1 + 0.045 * chroma)
    dh = 2 * np.sqrt(c1 * c2) * np.sin(turn / 2) / (1 + 0.015 * chroma * tint)
    difference: Planes = np.sqrt(np.maximum(dl**2 + dc**2 + dh**2 + rotation * dc * dh, 0)).astype(np.float32)
    return difference


def _seventh(chroma: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """sqrt(C^7 / (C^7 + 25^7)), of equations 4 and 17."""
    power = chroma**7
    return np.sqrt(power / (power + 25.0**7))


@lru_cache(maxsize=1)
def _linear_levels() -> Planes:
    return srgb_to_linear(np.arange(256, dtype=np.float32) / np.float32(255))
