"""The kinds of identifiers with check digits that maskers know, and how each is built."""

from __future__ import annotations

from parity_data.mask.numbers_with_checks import Kind

#: Tried in this order when a rule does not say which kind it is; the first that accepts a value names it.
NATIONAL = (
    Kind("it_codicefiscale", "Italian codice fiscale", "it.codicefiscale", ("xxxxxxYYMDDxxxxc",),
         r"[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]", "RCCMNL83S18D969H"),
    Kind("fr_nir", "French NIR", "fr.nir", (".....xxxxxxxxcc",), r"\d{6}[\dAB]\d{8}", "295109912611193"),
    Kind("br_cnpj", "Brazilian CNPJ", "br.cnpj", ("xxxxxxxx....cc",), r"[\dA-Z]{12}\d\d", "16.727.230/0001-97"),
    Kind("se_personnummer", "Swedish personnummer", "se.personnummer", ("YYMMDDxxxc", "..YYMMDDxxxc", "YYMMDD+xxxc"),
         r"(?:\d\d)?\d{6}[+]?\d{4}", "811228-9874"),
    Kind("in_aadhaar", "Indian Aadhaar", "in_.aadhaar", ("xxxxxxxxxxxc",), r"[2-9]\d{11}", "2341 2341 2346"),
    Kind("pl_pesel", "Polish PESEL", "pl.pesel", ("YYMMDDxxxxc",), r"\d{11}", "44051401359"),
    Kind("br_cpf", "Brazilian CPF", "br.cpf", ("xxxxxxxxxcc",), r"\d{11}", "390.533.447-05"),
    Kind("de_idnr", "German Steuer-ID", "de.idnr", ("xxxxxxxxxxc",), r"[1-9]\d{10}", "36 574 261 809"),
    Kind("no_fodselsnummer", "Norwegian fødselsnummer", "no.fodselsnummer", ("DDMMYYxxxcc",), r"\d{11}", "15108695088"),
    Kind("be_nn", "Belgian national number", "be.nn", ("YYMMDDxxxcc",), r"\d{11}", "85.07.30-033 28"),
    Kind("tr_tckimlik", "Turkish T.C. kimlik no", "tr.tckimlik", ("xxxxxxxxxcc",), r"[1-9]\d{10}", "17291716060"),
    Kind("hr_oib", "Croatian OIB", "hr.oib", ("xxxxxxxxxxc",), r"\d{11}", "33392005961"),
    Kind("fi_hetu", "Finnish HETU", "fi.hetu", ("DDMMYY.xxxc", "DDMMYYxxxc"), r"\d{6}[+A-FU-Y]?\d{3}[0-9A-Y]", "131052-308T"),
    Kind("dk_cpr", "Danish CPR", "dk.cpr", ("DDMMYYxxxx",), r"\d{10}", "211062-5629"),
    # Numbers from 999 on are for test patients (NHS Digital).
    Kind("gb_nhs", "NHS number", "gb.nhs", ("xxxxxxxxxc",), r"\d{10}", "943-476-5870", "999"),
    Kind("in_pan", "Indian PAN", "in_.pan", ("xxx.xxxxxx",), r"[A-Z]{3}[A-Z][A-Z]\d{4}[A-Z]", "ACUPA7085R"),
    Kind("es_dni", "Spanish DNI", "es.dni", ("xxxxxxxxc",), r"\d{8}[A-Z]", "54362315K"),
    Kind("es_nie", "Spanish NIE", "es.nie", (".xxxxxxxc",), r"[XYZ]\d{7}[A-Z]", "X-2482300W"),
    Kind("gb_nino", "UK national insurance number", "", ("xxxxxxxx.",), r"[A-Z]{2}\d{6}[A-D]", "AB 12 34 56 C"),
    Kind("us_itin", "US ITIN", "us.itin", (".xxxxxxxx",), r"9\d{8}", "912-90-3456"),
    Kind("us_ssn", "US SSN", "us.ssn", ("xxxxxxxxx",), r"\d{9}", "536-90-4399"),
    Kind("nl_bsn", "Dutch BSN", "nl.bsn", ("xxxxxxxxc",), r"\d{9}", "1112.22.333"),
    Kind("ca_sin", "Canadian SIN", "ca.sin", ("xxxxxxxxc",), r"\d{9}", "123-456-782"),
    Kind("pt_nif", "Portuguese NIF", "pt.nif", (".xxxxxxxc",), r"\d{9}", "501 964 843"),
    Kind("au_tfn", "Australian TFN", "au.tfn", ("xxxxxxxxc",), r"\d{9}", "123 456 782"),
    Kind("ch_ssn", "Swiss AHV number", "ch.ssn", ("...xxxxxxxxxc",), r"756\d{10}", "756.9217.0769.85"),
    Kind("za_idnr", "South African ID", "za.idnr", ("YYMMDDxxxx..c",), r"\d{13}", "7503305044089"),
    Kind("cn_ric", "Chinese resident ID", "cn.ric", ("......YYYYMMDDxxxc",), r"\d{17}[\dX]", "360426199101010071"),
)  # fmt: skip

#: 00 is the reporting body of test devices (3GPP TS 23.003, GSMA TS.06).
IMEI = Kind("imei", "IMEI", "imei", ("xxxxxxxxxxxxxxc", "xxxxxxxxxxxxxx", "xxxxxxxxxxxxxxxx"), r"\d{14,16}", "35-209900-176148-1", "00")  # fmt: skip
VIN = Kind("vin", "VIN", "", ("xxxxxxxxcxxxxxxxx",), r"[0-9A-Z]{17}", "1M8GDM9AXKP042788")
BIC = Kind(
    "bic", "BIC", "bic", ("xxxx..xx", "xxxx..xxxxx"), r"[A-Z]{6}[0-9A-Z]{2}(?:[0-9A-Z]{3})?", "AGRIFRPP"
)
ROUTING = Kind("routing_number", "US routing number", "us.rtn", ("xxxxxxxxc",), r"\d{9}", "111000025")


def beyond(module: str) -> Kind:
    """Any other module of python-stdnum, by its name (``ro.cnp``): the last characters move until valid."""
    templates = tuple("." * max(0, n - _MOVED) + "x" * min(n, _MOVED) for n in range(4, 35))
    return Kind(module, f"python-stdnum {module}", module, templates, r".+", "")


#: Characters of numbers of unknown build that are enciphered, from the end: more would rarely be valid.
_MOVED = 7
