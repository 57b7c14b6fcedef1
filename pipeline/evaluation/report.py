"""One HTML page over what the stages made: corpus, training, archive, evaluation; each part may be absent."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from pipeline.base.errors import DiptychError, UsageError
from pipeline.base.store import Store
from pipeline.evaluation.config import ReportConfig
from pipeline.evaluation.page import Section, document, paragraph
from pipeline.evaluation.sections.archive import archive_section
from pipeline.evaluation.sections.coding import coding_section
from pipeline.evaluation.sections.corpus import corpus_section
from pipeline.evaluation.sections.training import training_section

LEAD = "Drawn pixels and photographed pixels: labelled, learned, coded, archived."


def write_report(
    path: str,
    *,
    corpus: str | None = None,
    run: str | None = None,
    archive: str | None = None,
    evaluation: str | None = None,
    config: ReportConfig | None = None,
) -> str:
    """Write one self-contained HTML file over any of the stages' output folders; return its path.

    A part whose folder is None is stated as absent; one whose folder is unfinished or damaged is stated with the error.
    The same folders give the same bytes.
    Raises: UsageError: a folder is not there, or none is given; StorageError: the page cannot be written.
    """
    config = config or ReportConfig()
    folders = {"corpus": corpus, "run": run, "archive": archive, "evaluation": evaluation}
    if not any(folders.values()):
        raise UsageError(f"report: nothing to report on; give at least one of {', '.join(folders)}")
    for name, folder in folders.items():
        local = None if folder is None else Store(folder).local_path()
        if local is not None and not local.is_dir():
            raise UsageError(f"report: {name} {folder}: no such folder")
    sections = [
        _stated("Corpus", partial(corpus_section, corpus, num_samples=config.num_samples)),
        _stated("Training", partial(training_section, run)),
        _stated("Evaluation", partial(coding_section, evaluation, num_examples=config.num_examples)),
        _stated("Archive", partial(archive_section, archive)),
    ]
    target = Path(path)
    Store(target.parent).write_bytes(target.name, document(config.title, LEAD, sections).encode())
    return path


def _stated(title: str, make: Callable[[], Section]) -> Section:
    """Make a part of the page; where its input is damaged, the page says so and has its other parts."""
    try:
        return make()
    except DiptychError as error:
        return Section(anchor=title.lower(), title=title, body=paragraph(error, kind="alert"))
