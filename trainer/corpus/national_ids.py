"""National ids of persons: numbers a state gives out, each with its form and its checksum."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import stdnum.au.tfn
import stdnum.be.nn
import stdnum.bg.egn
import stdnum.br.cpf
import stdnum.ca.sin
import stdnum.ch.ssn
import stdnum.cl.rut
import stdnum.cn.ric
import stdnum.cz.rc
import stdnum.de.idnr
import stdnum.dk.cpr
import stdnum.es.dni
import stdnum.es.nie
import stdnum.fi.hetu
import stdnum.fr.nir
import stdnum.gb.nhs
import stdnum.hr.oib
import stdnum.id.nik
import stdnum.in_.aadhaar
import stdnum.in_.pan
import stdnum.it.codicefiscale
import stdnum.kr.rrn
import stdnum.mx.curp
import stdnum.my.nric
import stdnum.nl.bsn
import stdnum.no.fodselsnummer
import stdnum.pk.cnic
import stdnum.pl.pesel
import stdnum.pt.nif
import stdnum.ro.cnp
import stdnum.se.personnummer
import stdnum.th.pin
import stdnum.tr.tckimlik
import stdnum.us.ssn
import stdnum.za.idnr

from trainer.corpus.telling_words import stands_near


class _Id(NamedTuple):
    form: re.Pattern[str]
    valid: Callable[[str], bool]
    words: str = ""  # of words/personal.toml: one of them stands near


def _id(form: str, valid: Callable[[str], bool], words: str = "") -> _Id:
    return _Id(re.compile(rf"(?<![\w.+-])(?:{form})(?![\w]|[-.]\d)"), valid, words)


_IDS = (
    _id(r"\d{3}-\d{2}-\d{4}", stdnum.us.ssn.is_valid),
    _id(r"\d{8}-?[A-HJ-NP-TV-Z]", stdnum.es.dni.is_valid),
    _id(r"[XYZ]-?\d{7}-?[A-Z]", stdnum.es.nie.is_valid),
    _id(r"[12] ?\d\d ?\d\d ?\d[\dAB] ?\d{3} ?\d{3} ?\d\d", stdnum.fr.nir.is_valid),
    _id(r"[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]", stdnum.it.codicefiscale.is_valid),
    _id(r"756\.\d{4}\.\d{4}\.\d\d", stdnum.ch.ssn.is_valid),
    _id(r"\d{3}\.\d{3}\.\d{3}-\d\d", stdnum.br.cpf.is_valid),
    _id(r"[2-9]\d{3}([ -])\d{4}\1\d{4}", stdnum.in_.aadhaar.is_valid),
    _id(r"[A-Z]{3}P[A-Z]\d{4}[A-Z]", stdnum.in_.pan.is_valid),
    _id(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]", lambda text: True),  # GB
    _id(r"(?:19|20)?\d{6}[-+]\d{4}", stdnum.se.personnummer.is_valid),
    _id(r"\d{6}[-+A]\d{3}[0-9A-FHJ-NPR-Y]", stdnum.fi.hetu.is_valid),
    _id(r"\d{6}-[1-8]\d{6}", stdnum.kr.rrn.is_valid),
    _id(r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d", stdnum.mx.curp.is_valid),
    _id(r"\d{17}[\dX]", stdnum.cn.ric.is_valid),
    _id(r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d", stdnum.be.nn.is_valid),
    _id(r"\d{6}/\d{3,4}", stdnum.cz.rc.is_valid),
    _id(r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]", stdnum.cl.rut.is_valid),
    _id(r"\d{6}-\d\d-\d{4}", stdnum.my.nric.is_valid),
    _id(r"\d{5}-\d{7}-\d", stdnum.pk.cnic.is_valid),
    _id(r"\d-\d{4}-\d{5}-\d\d-\d", stdnum.th.pin.is_valid),
    _id(r"\d{6}-?\d{4}", stdnum.dk.cpr.is_valid, "DK"),
    _id(r"\d\d ?\d{3} ?\d{3} ?\d{3}", stdnum.de.idnr.is_valid, "DE"),
    _id(r"\d{4}[ .]?\d\d[ .]?\d{3}", stdnum.nl.bsn.is_valid, "NL"),
    _id(r"\d{11}", stdnum.pl.pesel.is_valid, "PL"),
    _id(r"\d{11}", stdnum.tr.tckimlik.is_valid, "TR"),
    _id(r"\d{11}", stdnum.hr.oib.is_valid, "HR"),
    _id(r"\d{6} ?\d{5}", stdnum.no.fodselsnummer.is_valid, "NO"),
    _id(r"\d{3}[ -]?\d{3}[ -]?\d{3}", stdnum.ca.sin.is_valid, "CA"),
    _id(r"\d{3} ?\d{3} ?\d{2,3}", stdnum.au.tfn.is_valid, "AU"),
    _id(r"\d{6} ?\d{4} ?\d{2} ?\d", stdnum.za.idnr.is_valid, "ZA"),
    _id(r"\d{13}", stdnum.ro.cnp.is_valid, "RO"),
    _id(r"\d{10}", stdnum.bg.egn.is_valid, "BG"),
    _id(r"\d{3} ?\d{3} ?\d{3}", stdnum.pt.nif.is_valid, "PT"),
    _id(r"\d{16}", stdnum.id.nik.is_valid, "ID"),
    _id(r"\d{3}[ -]?\d{3}[ -]?\d{4}", stdnum.gb.nhs.is_valid, "NHS"),
)

_NUMBERED = re.compile(r"[A-Z]{0,6}[ -]?\d(?:[ ./+-]?[\dA-Z]){4,60}+")


def find_ids(text: str) -> Iterator[tuple[int, int]]:
    """Find national ids by their forms and checksums; common forms need a word near them."""
    for stretch in _NUMBERED.finditer(text):
        if sum(map(str.isdigit, stretch[0])) < 4:
            continue
        for kind in _IDS:
            for match in kind.form.finditer(text, stretch.start(), stretch.end() + 2):
                near = not kind.words or stands_near(kind.words, text, *match.span())
                if near and kind.valid(match[0]):
                    yield match.span()
