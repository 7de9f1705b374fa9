"""The XMP packet of an image: the digital source type, and records of ours."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

SOURCE_TYPE_RECORD = "DigitalSourceType"
"""The name of the record that holds the address of an IPTC digital source type."""
NAMESPACE = "urn:packshot:records:1#"
XMP_CHUNK = "XML:com.adobe.xmp"
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    f'Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"/></rdf:RDF></x:xmpmeta>'
)


def build_xmp(records: Mapping[str, str]) -> str:
    """An XMP packet with the digital source type among `records`, and the other records as Packshot's own properties.

    Source: IPTC Photo Metadata Standard 2023.1, "Digital Source Type".
    """
    stated = records.get(SOURCE_TYPE_RECORD)
    attribute = f'Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"'
    packet = XMP.replace(attribute, f"Iptc4xmpExt:DigitalSourceType={quoteattr(stated)}" if stated else "")
    rest = "".join(
        f'<rdf:li rdf:parseType="Resource"><packshot:name>{escape(name)}</packshot:name>'
        f"<packshot:text>{escape(text)}</packshot:text></rdf:li>"
        for name, text in sorted(records.items())
        if name != SOURCE_TYPE_RECORD
    )
    if not rest:
        return packet
    about = f'<rdf:Description rdf:about="" xmlns:packshot="{NAMESPACE}"><packshot:records><rdf:Bag>'
    return packet.replace("</rdf:RDF>", f"{about}{rest}</rdf:Bag></packshot:records></rdf:Description></rdf:RDF>")
