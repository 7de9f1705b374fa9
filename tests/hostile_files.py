"""Files made to trip a reader of pictures: small valid ones of every format, mutations of them, and bombs."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Iterator

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tasks.photos.xmp import build_xmp
from tests.catalogues import make_photo

PNG = b"\x89PNG\r\n\x1a\n"
RECORD = '{"input_sha256": "ab", "steps": [], "written": {}, "seed": 0, "source_type": "", "may_alter_product": false}'


def encode(form: str, image: Image.Image | None = None, **options: object) -> bytes:
    """A picture's file."""
    stream = io.BytesIO()
    (image or make_photo(1)).save(stream, form, **options)
    return stream.getvalue()


def valid_files() -> dict[str, bytes]:
    """A small file of each format and of each way in which it holds pixels, several frames, or metadata."""
    exif = Image.Exif()
    exif.update({0x0112: 6, 0x010F: "Maker\x1b[31m"})
    exif.get_ifd(0x8825).update({1: "N", 2: (1.0, 2.0, 3.0)})
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    packet = build_xmp({"packshot:edit": RECORD}).encode()
    text = PngInfo()
    text.add_text("packshot:edit", RECORD, zip=True)
    text.add_itxt("XML:com.adobe.xmp", packet.decode(), zip=True)
    carried = {"exif": exif.tobytes(), "icc_profile": profile}
    return {
        "png": encode("PNG", pnginfo=text, **carried),
        "palette.png": encode("PNG", make_photo(1).convert("P")),
        "grey.png": encode("PNG", make_photo(1).convert("LA")),
        "apng": encode("PNG", save_all=True, append_images=[make_photo(2), make_photo(3)]),
        "jpg": encode("JPEG", xmp=packet, **carried),
        "progressive.jpg": encode("JPEG", progressive=True, comment=b"\x1b]0;title\x07"),
        "cmyk.jpg": encode("JPEG", make_photo(1).convert("CMYK")),
        "mpo": encode("MPO", save_all=True, append_images=[make_photo(2), make_photo(3)]),
        "webp": encode("WEBP", xmp=packet, **carried),
        "lossless.webp": encode("WEBP", make_photo(1).convert("RGBA"), lossless=True),
        "animated.webp": encode("WEBP", save_all=True, append_images=[make_photo(2), make_photo(3)]),
        "tif": encode("TIFF", tiffinfo={700: packet}, **carried),
        **{f"{one}.tif": encode("TIFF", compression=one) for one in ("tiff_lzw", "tiff_adobe_deflate", "jpeg")},
        "pages.tif": encode("TIFF", save_all=True, append_images=[make_photo(2), make_photo(3)]),
        "gif": encode("GIF"),
        "animated.gif": encode("GIF", save_all=True, append_images=[make_photo(2), make_photo(3)]),
        "bmp": encode("BMP"),
        "avif": encode("AVIF", xmp=packet, **carried),
        "jp2": encode("JPEG2000"),
        "ppm": encode("PPM"),
    }


def chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG's chunk."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(*chunks: bytes, size: tuple[int, int] = (2, 2)) -> bytes:
    """A PNG with these chunks before its pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes((3 * size[0] + 1) * min(size[1], 1000))))
    return PNG + header + b"".join(chunks) + pixels + chunk(b"IEND", b"")


def tiff(pages: int, loop: bool = False, side: int = 1) -> bytes:
    """A TIFF of so many pages of one directory each; with `loop` the last one names the first as the next."""
    tags = [
        (256, side),
        (257, side),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, side),
        (279, min(side * side, 2**32 - 1)),
    ]
    size, first = 2 + 12 * len(tags) + 4, 16
    entries = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    links = [first + size * (page + 1) for page in range(pages - 1)] + [first if loop else 0]
    return (
        b"II*\0" + struct.pack("<I", first) + bytes(8) + b"".join(entries + struct.pack("<I", link) for link in links)
    )


def gif(frames: int, side: int = 1) -> bytes:
    """A GIF of so many frames."""
    frame = b"," + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + struct.pack("<HH", side, side) + b"\x80\0\0" + bytes(6) + frame * frames + b";"


def bombs() -> dict[str, bytes]:
    """Files that state or unpack to far more than they hold, or are not what they seem."""
    bomb = zlib.compress(bytes(80 * 2**20), 9)
    jpeg, scan = encode("JPEG", progressive=True), b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    rows = encode("JPEG", Image.new("L", (4000, 4000)), progressive=True)
    laughs = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(12)
    )
    texts = [chunk(b"zTXt", b"a%d\0\0" % number + zlib.compress(bytes(2**20 - 10), 9)) for number in range(60)]
    return {
        "empty.png": b"",
        "profile.png": png(chunk(b"iCCP", b"p\0\0" + bomb)),
        "itxt.png": png(chunk(b"iTXt", b"packshot:edit\0\1\0\0\0" + bomb)),
        "ztxt.png": png(chunk(b"zTXt", b"packshot:edit\0\0" + bomb)),
        "texts.png": png(*texts),
        "exif.png": png(chunk(b"eXIf", b"II*\0" + struct.pack("<IH", 8, 65535) + b"\xff" * 700_000)),
        "loop.png": png(chunk(b"eXIf", b"II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0")),
        "laughs.png": png(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + laughs.encode() + b"]><x>&m;</x>")),
        "chunks.png": png(chunk(b"prVt", b"") * 260_000),
        "huge.png": png(size=(60_000, 60_000)),
        "wide.png": png(size=(2**31 - 1, 1)),
        "long.png": png(size=(1, 30_000)),
        "no-pixels.png": png()[:40],
        "nested.png": png(chunk(b"iTXt", b"packshot:edit\0\0\0\0\0" + b'{"ancestor":' * 100_000)),
        "escapes.png": png(chunk(b"tEXt", b"packshot:edit\0{\x1b]0;title\x07")),
        "pages.tif": tiff(200_000),
        "loop.tif": tiff(50, loop=True),
        "itself.tif": tiff(1, loop=True),
        "huge.tif": tiff(1, side=2**31 - 1),
        "frames.gif": gif(200_000),
        "large-frames.gif": gif(2_000, side=8_000),
        "scans.jpg": rows[:-2] + scan * 100 + b"\xff\xd9",
        "markers.jpg": jpeg[:2] + b"\xff\xfe\x00\x02" * 300_000 + jpeg[2:],
        "restarts.jpg": jpeg[:-2] + b"\xff\xd0" * 100_000 + b"\xff\xd9",
        "fill.jpg": jpeg[:2] + b"\xff" * 2**19 + jpeg[2:],
        "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "script.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) print\n",
        "paper.jpg": b"%PDF-1.7\n1 0 obj\n",
        "icon.png": encode("ICO"),
        "polyglot.gif": b"GIF89a/*" + png() + b"*/=1;",
        "archive.jpg": jpeg + b"PK\x03\x04" + bytes(500),
        "numbers.ppm": b"P3\n" + b"#" * 500_000 + b"\n2 2 255\n" + b"9" * 500_000,
        "huge.ppm": b"P6 999999999 999999999 255\n",
    }


def mutations(number: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Mutations of the valid files, each with a name to find it again."""
    files = list(valid_files().items())
    for index in range(number):
        chance = random.Random(seed * 1_000_003 + index)
        name, content = files[index % len(files)]
        yield f"{seed}-{index}-{name}", mutate(content, chance)


def mutate(content: bytes, chance: random.Random) -> bytes:
    """A few bytes altered, cut, doubled or set to an integer's bounds, mostly in the header."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        place = chance.randrange(min(len(changed), chance.choice((64, 512, len(changed)))) or 1)
        kind = chance.randrange(6)
        if kind == 0:
            changed[place : place + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            changed[place : place + 4] = chance.choice(
                (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\1")
            )
        elif kind == 2:
            del changed[place : place + chance.choice((1, 4, 100))]
        elif kind == 3:
            changed[place:place] = changed[place : place + chance.choice((4, 30, 300))]
        elif kind == 4:
            changed[place] ^= 1 << chance.randrange(8)
        else:
            del changed[chance.randrange(len(changed) or 1) :]
        if not changed:
            break
    return bytes(changed)
