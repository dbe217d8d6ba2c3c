"""From a packet to sentences: drafts at once, and a language model's wording where it is there and passes.

A sentence of a model is shown only if its skeleton passed the verifier and, once filled by code, reads back to the same
facts. Everything else is the draft, sentence by sentence. A model that is absent, slow, dead or lying changes fluency,
nothing else. What a model worded once is kept by the claim's shape, which holds no patient's data, and is verified
again each time it is used.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from vitruvian.explanation.claims import PROMPT_VERSION, Audience, Claim, Explanation, Sentence, Skeleton
from vitruvian.explanation.drafting import explanation_of, plan_of
from vitruvian.explanation.drafts import manner_of
from vitruvian.explanation.drafts.base import skeleton_of, template_of
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.filling import fill
from vitruvian.explanation.llm.audit import Audit, AuditRecord, NoAudit, Send
from vitruvian.explanation.llm.base import DEADLINE_S, LanguageModel, ModelBusy, ModelSilent, Prompt
from vitruvian.explanation.showing import show
from vitruvian.explanation.wording.base import MemoryCache, Refused, SkeletonCache, Wording
from vitruvian.explanation.wording.phrases import WORDED
from vitruvian.explanation.wording.prompt import prompt_of, skeleton_of_answer, wordable
from vitruvian.explanation.wording.read_back import read_back
from vitruvian.explanation.wording.shapes import drafted
from vitruvian.explanation.wording.tags import tag_of
from vitruvian.explanation.wording.verifier import verify

__all__ = ["Narrator"]

LEAST_S: Final = 0.2  # less is not worth asking


class _Reader(NamedTuple):
    evidence: Evidence
    audience: Audience
    language: str


class Narrator:
    """Explanations of packets, with one language model or none. Thread-safe.

    `counts`: sentences by outcome: `model`, `draft`, and `refused:RULE` for each rule that refused a wording. `send`:
    what a prompt holds, skeletons alone or also what the tags stand for; the answer is a skeleton either way.
    """

    def __init__(
        self,
        model: LanguageModel | None = None,
        cache: SkeletonCache | None = None,
        audit: Audit | None = None,
        *,
        deadline_s: float = DEADLINE_S,
        send: Send = "skeletons",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.model = model
        self.counts: Counter[str] = Counter()
        self._cache = cache if cache is not None else MemoryCache()
        self._audit = audit if audit is not None else NoAudit()
        self._deadline_s, self._monotonic, self._send = deadline_s, monotonic, send
        self._lock = threading.Lock()

    def explain(
        self, evidence: Evidence, audience: Audience = "clinician", language: str = "en", *, wait: bool = False
    ) -> Explanation:
        """The explanation as it can be had now; with `wait`, the model is asked for what it has not worded yet, for at
        most the deadline in all. Raises ConfigurationError for a reader or language that is not there.
        """
        until_s = self._monotonic() + self._deadline_s if wait else 0.0
        reader = _Reader(evidence, audience, language)
        claims = plan_of(evidence, audience)
        sentences = tuple(self._sentence(claim, reader, until_s) for claim in claims)
        whole = explanation_of(evidence, audience, language, sentences)
        by_model = sum(1 for one in sentences if one.origin == "model")
        status: Literal["draft", "partly", "fluent"] = (
            "draft" if not by_model else "partly" if by_model < sum(_asked(one, reader) for one in claims) else "fluent"
        )
        refused = Counter(one.refused for one in sentences if one.refused)
        name = self.model.name if self.model is not None else ""
        return msgspec.structs.replace(whole, status=status, model=name, refused=dict(refused))

    def lacks(self, evidence: Evidence, audience: Audience = "clinician", language: str = "en") -> bool:
        """Whether a model is there and has something of this packet still to word."""
        if self.model is None or language not in WORDED:
            return False
        reader = _Reader(evidence, audience, language)
        claims = (claim for claim in plan_of(evidence, audience) if _asked(claim, reader))
        return any(self._cache.get(self._key(claim, audience, language)) is None for claim in claims)

    def _sentence(self, claim: Claim, reader: _Reader, until_s: float) -> Sentence:
        skeleton, refused = drafted(claim, reader.audience, reader.language), ""
        if self.model is not None and wordable(claim, skeleton, reader.audience, reader.language):
            worded, refused = self._worded(self.model, claim, skeleton, reader, until_s)
            self._count("draft" if worded is None else "model")
            if worded is not None:
                return worded
        draft = fill(skeleton, claim, reader.evidence, reader.audience, manner_of(reader.language))
        return msgspec.structs.replace(draft, refused=refused) if refused else draft

    def _worded(
        self, model: LanguageModel, claim: Claim, draft: Skeleton, reader: _Reader, until_s: float
    ) -> tuple[Sentence | None, str]:
        """The model's sentence, or None with the rule that refused it."""
        key = self._key(claim, reader.audience, reader.language)
        kept = self._cache.get(key)
        if kept is None:
            left_s = until_s - self._monotonic()
            if left_s < LEAST_S:
                return None, ""
            kept = self._ask(model, claim, draft, reader, left_s)
            if kept is None:
                return None, ""
            self._cache.put(key, kept)
        if kept.refused:
            return None, kept.refused
        try:
            return self._checked(kept.template, claim, draft, reader), ""
        except Refused as refusal:  # kept by another version, or changed on disk
            self._count(f"refused:{refusal.rule}")
            return None, refusal.rule

    def _ask(
        self, model: LanguageModel, claim: Claim, draft: Skeleton, reader: _Reader, left_s: float
    ) -> Wording | None:
        """A new wording, or a refusal to remember; None where the model did not answer."""
        prompt = prompt_of(claim, draft, reader.audience, reader.language, self._told(claim, reader))
        try:
            answer = model.complete(prompt, left_s)
        except ModelBusy:
            return None
        except ModelSilent as error:
            self._note(model, prompt, "", "silent", str(error))
            self._count("refused:silent")
            return None
        try:
            skeleton = skeleton_of_answer(answer, claim, draft)
            kept = Wording(template_of(skeleton))
            self._checked(kept.template, claim, draft, reader)
        except Refused as refusal:
            self._note(model, prompt, answer, "refused", refusal.rule)
            self._count(f"refused:{refusal.rule}")
            return Wording("", refusal.rule)
        self._note(model, prompt, answer, "accepted", "")
        return kept

    def _told(self, claim: Claim, reader: _Reader) -> Mapping[str, str]:
        """What each tag stands for, where an operator lets that be sent."""
        if self._send == "skeletons":
            return {}
        facts, manner = reader.evidence.by_id, manner_of(reader.language)
        return {
            tag_of(one): show(facts[one.fact], one.facet, reader.evidence, reader.audience, manner)
            for one in claim.slots
        }

    def _checked(self, template: str, claim: Claim, draft: Skeleton, reader: _Reader) -> Sentence:
        """The filled sentence of a wording. Raises Refused."""
        try:
            skeleton = skeleton_of(template, claim)
        except ValueError as error:
            raise Refused("tags", str(error)) from None
        verify(skeleton, claim, draft, reader.audience, reader.language)
        sentence = fill(skeleton, claim, reader.evidence, reader.audience, manner_of(reader.language))
        read_back(sentence.text, claim, reader.evidence, reader.audience, reader.language)
        return msgspec.structs.replace(sentence, origin="model")

    def _key(self, claim: Claim, audience: Audience, language: str) -> str:
        assert self.model is not None
        return "|".join((claim.shape, audience, language, self.model.digest, PROMPT_VERSION))

    def _note(
        self,
        model: LanguageModel,
        prompt: Prompt,
        answer: str,
        verdict: Literal["accepted", "refused", "silent"],
        reason: str,
    ) -> None:
        self._audit.note(
            AuditRecord(
                "wording",
                model.name,
                model.digest,
                PROMPT_VERSION,
                _sha256(msgspec.json.encode(prompt)),
                _sha256(answer.encode("utf-8", "surrogatepass")),
                verdict,
                reason,
                model.remote,
                self._send,
            )
        )

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1


def _asked(claim: Claim, reader: _Reader) -> bool:
    """Whether a model is asked for it: not for the twin's own words, such as notes and reasons."""
    return wordable(claim, drafted(claim, *reader[1:]), reader.audience, reader.language)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
