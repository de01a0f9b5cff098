"""Complex intervals: rectangles with interval sides."""

from __future__ import annotations

from .interval import ZERO, Interval


class Rectangle:
    """All x + i y."""

    __slots__ = ("x", "y")

    def __init__(self, x: Interval, y: Interval = ZERO) -> None:
        self.x = x
        self.y = y

    def __add__(self, other: Rectangle) -> Rectangle:
        return Rectangle(self.x + other.x, self.y + other.y)

    def __mul__(self, other: Rectangle) -> Rectangle:
        return Rectangle(self.x * other.x - self.y * other.y, self.x * other.y + self.y * other.x)

    def scaled(self, factor: Interval) -> Rectangle:
        """Times a real number."""
        return Rectangle(self.x * factor, self.y * factor)

    def squared_magnitude(self) -> Interval:
        """|z|^2."""
        return self.x.square() + self.y.square()

    def inverse(self) -> Rectangle:
        """1/z for a rectangle that misses 0."""
        size = self.squared_magnitude()
        return Rectangle(self.x / size, -self.y / size)

    def exp(self) -> Rectangle:
        """e^z."""
        cosine, sine = self.y.cos_sin()
        return Rectangle(cosine, sine).scaled(self.x.exp())

    def wide_root(self, size: Interval) -> Rectangle:
        """sqrt 2 times the principal root off the negative half-line, given |z|: with u = sqrt(|z| + x)
        it is u + i y/u, with v = sqrt(|z| - x) it is |y|/v +- i v."""
        if self.x.lo > 0:
            part = (size + self.x).sqrt()
            return Rectangle(part, self.y / part)
        part = (size - self.x).sqrt()
        if self.y.lo > 0:
            return Rectangle(self.y / part, part)
        if self.y.hi < 0:
            return Rectangle(-self.y / part, -part)
        raise ValueError("root of a rectangle that meets the negative half-line")
