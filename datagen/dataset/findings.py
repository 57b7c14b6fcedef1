"""What can be wrong with a corpus. Kinds are stable words, counted in summaries and written by hand."""

from dataclasses import dataclass

KINDS = {
    "missing_file": "a file that the plan, the shard table or a commit record lists is not there",
    "unlisted_file": "a file that nothing lists",
    "file_digest": "a file's bytes are not those that its digest was taken of",
    "manifest": "the manifest cannot be read, or differs from what plan and commit records say",
    "shard_table": "the shard table cannot be read, or differs from the commit records",
    "record": "a commit record cannot be read",
    "plan": "plan, config or table of sources cannot be read, or differ from one another",
    "quarantined": "a shard that kept failing and is not in the corpus",
    "missing_sample": "a sample that was planned is neither in a tar nor among the rejected",
    "side_car": "a side-car cannot be read, or has another number of rows than its commit record",
    "tar_header": "a tar member's header is damaged, its data is not",
    "missing_member": "a member that the side-car lists is not in the tar",
    "unlisted_member": "a member of the tar that the side-car does not list",
    "wrong_place": "a member stands elsewhere in the tar than the side-car says",
    "member_digest": "a sample's bytes are not those that the side-car's digest was taken of",
    "undecodable": "a member cannot be decoded",
    "row": "a side-car row differs from the members it describes",
    "classes": "a side-car's class names are not those of the sample's metadata",
    "label_values": "a label map holds other values than 0, 1 and 255",
    "region_ids": "region ids are not dense from 1",
    "bad_key": "a key that WebDataset readers would not keep whole",
    "duplicate_key": "a key that stands more than once in the corpus",
    "shared_source": "two splits show the same source",
    "same_pixels": "two splits hold the same picture",
    "near_duplicate": "two splits hold pictures that look nearly the same",
    "not_the_same": "a sample that was drawn again has other bytes",
    "cannot_draw": "a sample could not be drawn again",
    "card": "the dataset card or the Croissant file does not describe this corpus; write it anew",
}
"""Kind of a finding: what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a corpus."""

    kind: str
    """One of KINDS."""
    where: str
    """File, and the sample's key if it concerns one."""
    message: str
    """What was found, what was expected."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of finding {self.kind!r}")
