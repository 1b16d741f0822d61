"""Dimse: an archive that speaks DICOM's own protocol (C-ECHO, C-FIND, C-GET, C-MOVE, C-STORE)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom import build_context, build_role, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext

from imaging.errors import NodeError, TransferError
from surveillance.pacs.association import CONTEXTS_MAX, VERIFICATION, associated
from surveillance.pacs.configuration import DimseAddress, Local
from surveillance.pacs.node import (
    IDENTITY,
    Instance,
    Keep,
    Parcel,
    Query,
    Sent,
    instance_of,
    subjects_of,
)
from surveillance.pacs.node import matching_studies as matching
from surveillance.pacs.parcel import load_parcel, not_taken
from surveillance.pacs.receiving import SYNTAXES, Keeping, receiver
from surveillance.pacs.status import (
    SUCCESS,
    is_done,
    is_out_of_resources,
    is_pending,
    is_unable,
    meaning,
)

FIND = "1.2.840.10008.5.1.4.1.2.2.1"
MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
GET = "1.2.840.10008.5.1.4.1.2.2.3"
"""Study Root Query/Retrieve (PS3.4 annex C): all archives have it."""
INSTANCES_A_REQUEST = 100
"""UIDs in one C-GET or C-MOVE; a longer list makes a message that some archives refuse."""

Responses = Iterator[tuple[Dataset, Dataset | None]]


@dataclass(frozen=True, slots=True)
class Dimse:
    """A DIMSE node; an operation holds one association, however many images it moves."""

    name: str
    address: DimseAddress
    local: Local

    def echo(self) -> None:
        """Ask whether the node is there and takes us for whom we say we are."""
        with self._speaking(VERIFICATION) as association:
            self._end("C-ECHO", association.send_c_echo())

    def studies(self, query: Query) -> tuple[str, ...]:
        """Return the Study Instance UIDs that the query finds, sorted."""
        return tuple(sorted(self._found(query)))

    def whose(self, query: Query) -> dict[str, str]:
        """Return the subject of each study that the query finds."""
        return subjects_of(self._found(query, IDENTITY))

    def instances(self, studies: Sequence[str]) -> tuple[Instance, ...]:
        """Return all instances of the studies, sorted."""
        found: set[Instance] = set()
        with self._speaking(FIND) as association:
            for study in studies:
                question = {"StudyInstanceUID": study, "SeriesInstanceUID": ""}
                question |= {"SOPInstanceUID": "", "SOPClassUID": ""}
                answers = self._answers(association, "IMAGE", question)
                found |= {instance_of(self.name, study, answer) for answer in answers}
        return tuple(sorted(found))

    def fetch(self, instances: Sequence[Instance], keep: Keep) -> None:
        """Fetch instances by C-GET or C-MOVE, as the address says, in the syntax of storage."""
        if self.address.retrieve == "move":
            self._move(instances, Keeping(keep))
            return
        classes = sorted({one.sop_class for one in instances})
        most = (CONTEXTS_MAX - 1) // len(SYNTAXES)
        for start in range(0, len(classes), most):
            some = classes[start : start + most]
            self._get([i for i in instances if i.sop_class in some], some, Keeping(keep))

    def store(self, parcels: Sequence[Parcel], sent: Sent) -> None:
        """Send files by C-STORE, in the syntax they are in."""
        kinds = sorted({parcel.kind for parcel in parcels})
        for start in range(0, len(kinds), CONTEXTS_MAX):
            some = kinds[start : start + CONTEXTS_MAX]
            self._store([p for p in parcels if p.kind in some], some, sent)

    def _store(
        self, parcels: Sequence[Parcel], kinds: Sequence[tuple[str, str]], sent: Sent
    ) -> None:
        try:
            with self._speaking(storage=[build_context(*k) for k in kinds]) as association:
                for parcel in parcels:
                    sent(parcel, self._store_one(association, parcel))
        except NodeError as error:
            if error.code != "node_no_service":
                raise
            for parcel in parcels:
                sent(parcel, not_taken(parcel))

    def _store_one(self, association: Association, parcel: Parcel) -> str | None:
        if parcel.kind not in _accepted(association):
            return not_taken(parcel)
        code = self._code(association.send_c_store(load_parcel(parcel)))
        if is_out_of_resources(code):
            said = meaning("C-STORE", code)
            raise TransferError("node_full", node=self.name, meaning=said)
        return None if is_done(code) else meaning("C-STORE", code)

    def _found(self, query: Query, told: Sequence[str] = ()) -> dict[str, Dataset]:
        """Return what the node tells of each study that the query finds."""
        found: dict[str, Dataset] = {}
        with self._speaking(FIND) as association:
            for keyword, value in query.questions():
                question = dict.fromkeys(("StudyInstanceUID", *told), "") | {keyword: value}
                answers = self._answers(association, "STUDY", question)
                found |= matching(self.name, keyword, value, answers)
        return found

    def _answers(self, association: Association, level: str, keys: dict[str, str]) -> list[Dataset]:
        question = Dataset()
        question.QueryRetrieveLevel = level
        for keyword, value in keys.items():
            setattr(question, keyword, value)
        answers = []
        for response, answer in association.send_c_find(question, FIND):
            if not is_pending(self._code(response)):
                self._end("C-FIND", response)
            elif answer is None:
                detail = "an answer to C-FIND cannot be decoded"
                raise NodeError("node_answer", node=self.name, detail=detail)
            else:
                answers.append(answer)
        return answers

    def _get(self, instances: Sequence[Instance], classes: list[str], keeping: Keeping) -> None:
        # One context for each syntax: offered together, the node would choose, and transcode.
        storage = [build_context(uid, syntax) for uid in classes for syntax in SYNTAXES]
        with self._speaking(GET, storage=storage, keeping=keeping) as association:
            self._ask_for(instances, keeping, "C-GET", lambda q: association.send_c_get(q, GET))

    def _move(self, instances: Sequence[Instance], keeping: Keeping) -> None:
        local = self.local.receiver
        assert local is not None  # noqa: S101  (load_configuration refuses a node without it)
        with (
            receiver(self.local.ae_title, local, keeping, {one.sop_class for one in instances}),
            self._speaking(MOVE) as association,
        ):
            us = self.local.ae_title
            self._ask_for(
                instances, keeping, "C-MOVE", lambda q: association.send_c_move(q, us, MOVE)
            )

    def _ask_for(
        self,
        instances: Sequence[Instance],
        keeping: Keeping,
        service: str,
        ask: Callable[[Dataset], Responses],
    ) -> None:
        """Ask for instances, many at a time; those that did not come are for the caller to miss.

        Some archives fail a whole request for one instance that they have no more; then each of
        the others is asked for by itself.
        """
        failure: NodeError | None = None
        portions = list(_portions(instances))
        while portions:
            portion = portions.pop(0)
            code = self._last_code(ask(_request(portion)), keeping)
            if is_unable(code):
                failure = self._failure(service, code)
                missed = [one for one in portion if one.sop not in keeping.kept]
                portions = [*([one] for one in missed if len(portion) > 1), *portions]
            elif not is_done(code):
                raise self._failure(service, code)
        if failure and not keeping.kept:
            raise failure

    def _last_code(self, responses: Responses, keeping: Keeping) -> int:
        code = SUCCESS
        for response, _ in responses:
            code = self._code(response)
            if keeping.trouble:
                raise keeping.trouble
        return code

    def _end(self, service: str, response: Dataset) -> None:
        code = self._code(response)
        if not is_done(code):
            raise self._failure(service, code)

    def _failure(self, service: str, code: int) -> NodeError:
        kind = TransferError if is_out_of_resources(code) else NodeError
        said = meaning(service, code)
        return kind("node_failed", node=self.name, service=service, meaning=said)

    def _code(self, response: Dataset) -> int:
        if "Status" not in response:
            raise TransferError("node_broke_off", node=self.name)
        return int(response.Status)

    @contextmanager
    def _speaking(
        self,
        *syntaxes: str,
        storage: Sequence[PresentationContext] = (),
        keeping: Keeping | None = None,
    ) -> Iterator[Association]:
        """Hold an association in which each of the services was accepted.

        With `keeping` we are the ones who store what comes over it.
        """
        contexts = [*map(build_context, syntaxes), *storage]
        classes = sorted({str(context.abstract_syntax) for context in storage})
        roles = [build_role(uid, scp_role=True) for uid in classes] if keeping else []
        handlers = [(evt.EVT_C_STORE, keeping)] if keeping else []
        with associated(
            self.name, self.local.ae_title, self.address, contexts, roles, handlers
        ) as association:
            accepted = {context.abstract_syntax for context in association.accepted_contexts}
            for syntax in set(syntaxes) - accepted:
                raise NodeError("node_no_service", node=self.name, service=UID(syntax).name)
            try:
                yield association
            except RuntimeError as error:  # pynetdicom: the association is no more
                raise TransferError("node_broke_off", node=self.name) from error


def _accepted(association: Association) -> set[tuple[str, str]]:
    contexts = association.accepted_contexts
    return {(str(c.abstract_syntax), str(c.transfer_syntax[0])) for c in contexts}


def _portions(instances: Sequence[Instance]) -> Iterator[list[Instance]]:
    """Yield what one request may ask for: instances of one series, not too many."""
    for _, group in groupby(sorted(instances), key=lambda i: (i.study, i.series)):
        ones = list(group)
        for start in range(0, len(ones), INSTANCES_A_REQUEST):
            yield ones[start : start + INSTANCES_A_REQUEST]


def _request(portion: Sequence[Instance]) -> Dataset:
    question = Dataset()
    question.QueryRetrieveLevel = "IMAGE"
    question.StudyInstanceUID = portion[0].study
    question.SeriesInstanceUID = portion[0].series
    question.SOPInstanceUID = [one.sop for one in portion]
    return question
