"""All experiments on one page, in the order of the lecture that they retell."""

from src.leaderboard.experiment import FOLDER, Experiment, experiment, names

_CHAPTERS = {
    "The question": ("A class for every pixel, and a loss that finds the rare ones.", ("scenes_dice", "imbalance")),
    "Labels": ("What a network needs to be told.", ("weak_labels",)),
    "First tries": ("A patch at a time, all at full resolution, then down and up again.", ("first_tries",)),
    "The way up": ("Maps are made large again.", ("upsampling",)),
    "FCN and skips": ("Where joins what.", ("skips", "fusion", "voc2012")),
    "Hypercolumns, ZoomOut, DeconvNet": (
        "Other ways to join them.",
        ("voc2012_hypercolumn", "voc2012_zoomout", "voc2012_deconvnet"),
    ),
    "U-Net": ("Few images, and borders that matter.", ("unet_isbi", "dsb2018_border")),
    "Architectures side by side": (
        "Streets, one recipe, one budget.",
        ("camvid_ranking", "camvid", "camvid_half", "camvid_full"),
    ),
    "Mask R-CNN": (
        "One object at a time.",
        ("dsb2018_instances", "neck", "roi", "mask_head", "mask_classes", "coco"),
    ),
    "Human poses": ("Joints are small masks.", ("lspet_keypoints", "coco_keypoints")),
    "Depth, normals, several at once": (
        "Numbers in place of classes.",
        ("scales", "depth_upsampling", "joint_tasks", "nyuv2_depth", "nyuv2_normals", "nyuv2_joint"),
    ),
    "Colour": ("Any image is its own truth.", ("colors",)),
}
_REST = "And also"  # whatever has no chapter above
_TOP = """# Experiments

Every file here is a claim: a question, the commands that answer it, what they cost, and what came out, with its spread.
They are told in the order of the lecture. `python -m src.report experiments=NAME` makes the table and the picture of
one again from its runs, and says where it agrees with what is stored here; this page is written by `python -m
src.report experiments=all`. The studies are discussed in [studies.md](../docs/studies.md), single networks in
[results.md](../docs/results.md). `PATH` is where you keep a dataset.
"""


def course() -> str:
    """The page, as Markdown."""
    told = {name for _, chapter in _CHAPTERS.values() for name in chapter}
    rest = tuple(name for name in names() if name not in told)
    chapters = _CHAPTERS | ({_REST: ("What the lecture does not tell.", rest)} if rest else {})
    parts = [_TOP]
    for number, (title, (sentence, chapter)) in enumerate(chapters.items(), 1):
        parts.append(f"## {number}. {title}\n\n{sentence}\n")
        parts += [_entry(experiment(name)) for name in chapter if name in names()]
    return "\n".join(parts)


def _entry(found: Experiment) -> str:
    said = "".join(f"- **{part}** {found.said(part)}\n" for part in ("Time", "Result", "Date"))
    commands = "\n".join(f"python -m {' '.join(words)}" for words in found.commands)
    picture = FOLDER.parent / "docs" / "pictures" / f"{found.name}.png"
    drawn = f"\n![{found.name}](../docs/pictures/{picture.name})\n" if picture.is_file() else ""
    table = FOLDER / f"{found.name}.csv"
    figures = f", [figures]({table.name})" if table.is_file() else ""
    question = found.said("Question")
    return (
        f"### {found.name}\n\n{question[0].upper()}{question[1:]}\n\n[Config]({found.name}.yaml){figures}.\n\n{said}\n"
        f"<details><summary>Commands</summary>\n\n```bash\n{commands}\n```\n\n</details>\n{drawn}"
    )
