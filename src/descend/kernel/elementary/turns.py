"""Reduction of huge arguments modulo π/2, one double at a time (Payne and Hanek, 1983)."""

from __future__ import annotations

from descend.kernel.elementary.writer import Bits, Vector
from descend.kernel.lower import Body

NAME = "descend_turns"
# A word of zeros and 1,216 binary places of 2/π: the last that the largest double reaches and 190 more.
TWO_OVER_PI = (
    0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
    0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41,
    0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7,
    0x4f463f669e5fea2d, 0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
)  # fmt: skip
QUARTER_PI = 0xC90FDAA22168C234  # π/4·2^64


def _text() -> str:
    words = ", ".join(f"i64 {word - (word >> 63 << 64)}" for word in TWO_OVER_PI)
    loads = "\n".join(
        f"""  %p{k} = getelementptr inbounds i64, ptr %first, i64 {k}
  %word{k} = load i64, ptr %p{k}, align 8
  %wide{k} = zext i64 %word{k} to i256
  %high{k} = shl i256 %wide{k}, {192 - 64 * k}"""
        for k in range(4)
    )
    return f"""
@{NAME}_table = internal constant [{len(TWO_OVER_PI)} x i64] [{words}], align 8
define internal {{double, i64}} @{NAME}(double %x) cold noinline nounwind willreturn memory(none) {{
  ; |x| = whole·2^(field - 1075): the product's places from 2 on are asked for, its whole part modulo 4 with them
  %bits = bitcast double %x to i64
  %size = and i64 %bits, {(1 << 63) - 1}
  %field = lshr i64 %size, 52
  %fraction = and i64 %bits, {(1 << 52) - 1}
  %whole = or i64 %fraction, {1 << 52}
  %place = sub i64 %field, 1013
  %index = lshr i64 %place, 6
  %first = getelementptr inbounds i64, ptr @{NAME}_table, i64 %index
{loads}
  %two = or i256 %high0, %high1
  %three = or i256 %two, %high2
  %four = or i256 %three, %high3
  %offset = and i64 %place, 63
  %offset.wide = zext i64 %offset to i256
  %moved = shl i256 %four, %offset.wide
  %window.wide = lshr i256 %moved, 64
  %window = trunc i256 %window.wide to i192
  %factor = zext i64 %whole to i192
  %product = mul i192 %window, %factor
  %quarter.wide = lshr i192 %product, 190
  %quarter = trunc i192 %quarter.wide to i64
  ; the rest, in [-1/2, 1/2) of a quarter turn
  %rest = shl i192 %product, 2
  %below = icmp slt i192 %rest, 0
  %carry = zext i1 %below to i64
  %nearest = add i64 %quarter, %carry
  %negated = sub i192 0, %rest
  %distance = select i1 %below, i192 %negated, i192 %rest
  %zeros.wide = call i192 @llvm.ctlz.i192(i192 %distance, i1 false)
  %normal = shl i192 %distance, %zeros.wide
  %leading.wide = lshr i192 %normal, 128
  %leading.half = trunc i192 %leading.wide to i64
  %leading = zext i64 %leading.half to i128
  %angle.wide = mul i128 %leading, {QUARTER_PI}
  %angle.high = lshr i128 %angle.wide, 65
  %angle = trunc i128 %angle.high to i64
  %number = sitofp i64 %angle to double
  %zeros = trunc i192 %zeros.wide to i64
  %exponent = sub i64 {1023 - 62}, %zeros
  %scale.bits = shl i64 %exponent, 52
  %scale = bitcast i64 %scale.bits to double
  %r = fmul double %number, %scale
  %left = icmp slt i64 %bits, 0
  %turned = xor i1 %left, %below
  %opposite = fneg double %r
  %r.signed = select i1 %turned, double %opposite, double %r
  %back = sub i64 0, %nearest
  %q = select i1 %left, i64 %back, i64 %nearest
  %one = insertvalue {{double, i64}} poison, double %r.signed, 0
  %both = insertvalue {{double, i64}} %one, i64 %q, 1
  ret {{double, i64}} %both
}}"""


TEXT = _text()
DECLARED = frozenset({"declare i192 @llvm.ctlz.i192(i192, i1) #1"})


def turns(x: Vector) -> tuple[Vector, Bits]:
    """Return (r, q) with x = q·π/2 + r and |r| ≤ π/4, q modulo 2^64, for finite |x| ≥ 2^20."""
    body = x.body
    body.helpers[NAME] = TEXT
    body.declared |= DECLARED
    pairs = [_one(body, lane) for lane in _lanes(x)]
    if body.lanes == 1:
        ((r, q),) = pairs
    else:
        r = q = "poison"
        for k, (angle, quarter) in enumerate(pairs):
            r = body.emit(f"insertelement {body.kind} {r}, double {angle}, i64 {k}")
            q = body.emit(f"insertelement {Bits.kind(body)} {q}, i64 {quarter}, i64 {k}")
    return Vector(body, r), Bits(body, q)


def _lanes(x: Vector) -> list[str]:
    if x.body.lanes == 1:
        return [x.name]
    return [x.body.emit(f"extractelement {x.body.kind} {x.name}, i64 {k}") for k in range(x.body.lanes)]


def _one(body: Body, x: str) -> tuple[str, str]:
    both = body.emit(f"call {{double, i64}} @{NAME}(double {x}) #1")
    return body.emit(f"extractvalue {{double, i64}} {both}, 0"), body.emit(f"extractvalue {{double, i64}} {both}, 1")
