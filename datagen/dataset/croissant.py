"""Croissant metadata of a corpus (MLCommons Croissant 1.0, JSON-LD): every file with its digest, every column typed."""

from collections.abc import Collection, Sequence
from typing import Any

from datagen.dataset.listing import ShardRow
from pipeline.formats.encoded import CLASSES

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that the standard prescribes, word for word."""

_COLUMNS = {
    "key": ("sc:Text", "Names the sample: its members in the tar are KEY.png, KEY.label.png, ..."),
    "width": ("sc:Integer", "Pixels."),
    "height": ("sc:Integer", "Pixels."),
    "kind": ("sc:Text", "Scene, or `capture`."),
    "how_labelled": (
        "sc:Text",
        "`compositor`, `differential` are exact, `given` is the user's word; else the labeller, or `none`.",
    ),
    "how_masked": ("sc:Text", "What made the region map."),
    "num_regions": ("sc:Integer", "Regions in the region map."),
    "synthetic_fraction": ("sc:Float", "Share of the pixels that are drawn."),
    "natural_fraction": ("sc:Float", "Share of the pixels that are photographed."),
    "ignore_fraction": ("sc:Float", "Share of the pixels that mix both or are not known."),
    "seed": ("sc:Integer", "Of the drawing."),
}
_MEMBERS = {
    # Keys end in a digit; mlcroissant knows no other way to leave .label.png and .regions.png out.
    "png": ("picture", "*[0-9].png", "The screen, 8-bit RGB."),
    "label.png": ("label", "*.label.png", "Label map: 0 synthetic, 1 natural, 255 ignore."),
    "regions.png": ("regions", "*.regions.png", "Region map: 16-bit region ids, 0 = none."),
}


def croissant(
    about: dict[str, Any], shards: Sequence[ShardRow], sizes: dict[str, int], *, classed: Collection[str] = ()
) -> dict[str, Any]:
    """Return the JSON-LD of a corpus.

    `about`: name, description, license, url and the like, as schema.org calls them. `sizes`: bytes of each side-car.
    `classed`: splits that have the column `classes`.
    """
    splits = list(dict.fromkeys(shard.split for shard in shards))
    distribution: list[dict[str, Any]] = []
    for shard in shards:
        distribution.append(_file(f"{shard.stem}.tar", "application/x-tar", shard.tar_bytes, shard.tar_sha256))
        side_car = f"{shard.stem}.parquet"
        distribution.append(_file(side_car, "application/x-parquet", sizes[side_car], shard.parquet_sha256))
    record_sets: list[dict[str, Any]] = []
    for split in splits:
        stems = [shard.stem for shard in shards if shard.split == split]
        distribution += _file_sets(split, stems)
        record_sets += [_samples(split, classed=split in classed), *(_files(split, ending) for ending in _MEMBERS)]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        **about,
        "distribution": distribution,
        "recordSet": record_sets,
    }


def _file(name: str, encoding: str, size: int, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{size} B",
        "encodingFormat": encoding,
        "sha256": sha256,
    }


def _file_sets(split: str, stems: Sequence[str]) -> list[dict[str, Any]]:
    tars = [{"@id": f"{stem}.tar"} for stem in stems]
    sets = [
        {
            "@type": "cr:FileSet",
            "@id": f"{split}/side-cars",
            "name": f"{split}/side-cars",
            "description": "One row a sample: place in the tar, digests, sizes, label shares.",
            # Without containedIn: the reference reader opens parquet files of a set only beside this file.
            "encodingFormat": "application/x-parquet",
            "includes": f"{stems[0].rpartition('-')[0]}-*.parquet",
        }
    ]
    return sets + [
        {
            "@type": "cr:FileSet",
            "@id": f"{split}/{name}-files",
            "name": f"{split}/{name}-files",
            "description": description,
            "containedIn": tars,
            "encodingFormat": "image/png",
            "includes": includes,
        }
        for name, includes, description in _MEMBERS.values()
    ]


def _samples(split: str, *, classed: bool) -> dict[str, Any]:
    """Return the record set of a split's side-cars: everything but the pixels."""
    name = f"{split}/samples"
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"One record a sample of the split {split}, from the side-cars.",
        "key": {"@id": f"{name}/key"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{column}",
                "name": f"{name}/{column}",
                "description": description,
                "dataType": kind,
                "source": {"fileSet": {"@id": f"{split}/side-cars"}, "extract": {"column": column}},
            }
            for column, (kind, description) in _COLUMNS.items()
        ]
        + ([_classes(split)] if classed else []),
    }


def _classes(split: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{split}/samples/{CLASSES.name}",
        "name": f"{split}/samples/{CLASSES.name}",
        "description": "What the picture shows, one name or several; none: its kind stands for it.",
        "dataType": "sc:Text",
        "repeated": True,
        "source": {"fileSet": {"@id": f"{split}/side-cars"}, "extract": {"column": CLASSES.name}},
    }


def _files(split: str, ending: str) -> dict[str, Any]:
    """Return the record set of one member of a split's samples: its key and its pixels.

    One record set each: the reference reader joins no more than two kinds of files.
    """
    member, _, description = _MEMBERS[ending]
    name = f"{split}/{member}"
    files = {"fileSet": {"@id": f"{split}/{member}-files"}}
    of_name = {"extract": {"fileProperty": "filename"}}
    transform = {"transform": {"regex": "^(.+)\\." + ending.replace(".", "\\.") + "$"}}
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"{description} Split {split}.",
        "key": {"@id": f"{name}/key"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/key",
                "name": f"{name}/key",
                "description": _COLUMNS["key"][1],
                "dataType": "sc:Text",
                "source": files | of_name | transform,
            },
            {
                "@type": "cr:Field",
                "@id": f"{name}/pixels",
                "name": f"{name}/pixels",
                "description": description,
                "dataType": "sc:ImageObject",
                "source": files | {"extract": {"fileProperty": "content"}},
            },
        ],
    }
