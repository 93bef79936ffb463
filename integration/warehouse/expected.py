"""What has to stand in the tables, from what the simulators answered.

Everything here is written a second time, from the vendors' documentation and the schemas, and shares nothing with the connectors: how the rows of a
stream are found in the answers, and what becomes of a value in a column of each type.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from urllib.parse import unquote
from zoneinfo import ZoneInfo

BRASILIA = ZoneInfo("America/Sao_Paulo")
NOTHING = (None, False)  # null, and nothing was lost


class Number(str):
    """A number as it is written."""


def parse(text: str):
    """JSON whose numbers keep their digits."""
    return json.loads(text, parse_int=Number, parse_float=Number)


def plain(value):
    """A value as a database gives JSON back: numbers as Decimal, text without U+0000."""
    if isinstance(value, Number):
        return Decimal(value)
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, dict):
        return {plain(k): plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


# --- values ---------------------------------------------------------------------------------------------------------------------------------


def column(prop: dict) -> str:
    """The type of a column: text, json, boolean, integer, number, date, timestamp, object or list."""
    (kind,) = [t for t in ([prop["type"]] if isinstance(prop["type"], str) else prop["type"]) if t != "null"]
    if kind == "string":
        named = {"date": "date", "date-time": "timestamp"}.get(prop.get("format"), "text")
        return "json" if prop.get("x-nested-as-text") else named
    if kind == "number":
        return prop.get("airbyte_type", "number")
    return {"array": "list"}.get(kind, kind)


def typed(prop: dict, value):
    """What stands in the column, and whether the value did not fit and is kept beside it."""
    kind = column(prop)
    if value is None:
        return NOTHING
    is_text = isinstance(value, str) and not isinstance(value, Number)
    text = value.replace("\0", "").strip() if is_text else None
    if kind in ("text", "json"):
        if is_text:
            return value.replace("\0", ""), False
        if isinstance(value, (dict, list)):
            if kind == "json":
                return compact(value), False
            return NOTHING if not value else (None, True)
        return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value), False
    if is_text and (not text or kind != "list" and clock(text) == NOTHING):
        return NOTHING
    if kind == "list":
        if isinstance(value, list):
            return plain(value), False
        of = prop.get("items", {}).get("type", [])
        if isinstance(value, dict) and not value:
            return NOTHING
        if isinstance(value, dict) and (not of or "object" in of) or is_text and (not of or "string" in of):
            return [plain(value)], False
        return None, True
    if kind == "object":
        if isinstance(value, dict):
            return plain(value), False
        return NOTHING if value == [] else (None, True)
    if isinstance(value, (dict, list)):
        return NOTHING if not value else (None, True)
    found = {"boolean": truth, "integer": integer, "number": number, "date": day, "timestamp": moment}[kind](value if text is None else text, is_text)
    return found if isinstance(found, tuple) else (found, found is None)


def compact(value) -> str:
    """A value as compact JSON whose numbers keep their digits."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(compact(k) + ":" + compact(v) for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    if isinstance(value, str):
        value = value.replace("\0", "")
    return json.dumps(value, ensure_ascii=False)


def truth(value, is_text):
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "sim": True, "s": True, "false": False, "0": False, "não": False, "nao": False, "n": False}.get(str(value).lower())


def integer(value, is_text):
    if isinstance(value, bool):
        return None
    if is_text and re.fullmatch(r"-?\d+\.\d{3}", value):
        return None  # thousands to some, decimals to others
    n = amount(value) if is_text else Decimal(value)
    return int(n) if n is not None and n == n.to_integral_value() and -(2**63) <= n < 2**63 else None


def number(value, is_text):
    if isinstance(value, bool):
        return None
    n = amount(value) if is_text else Decimal(value)
    if n is None or n != 0 and n.adjusted() >= 29 or is_text and n != 0 and -n.normalize().as_tuple().exponent > 9:
        return None
    return n


def amount(text: str) -> Decimal | None:
    """A number in Brazilian or plain text, or a CNPJ."""
    if re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", text):
        return Decimal(text)
    bare = re.sub(r"^(-?)R\$\s*(-?)", r"\1\2", text)
    money = bare != text
    if re.fullmatch(r"-?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?", bare) and ("," in bare or money or bare.count(".") != 1):
        return Decimal(bare.replace(".", "").replace(",", "."))
    if re.fullmatch(r"-?\d+(\.\d+)?", bare):
        return Decimal(bare)
    digits = re.sub(r"[./-]", "", text)
    return Decimal(digits) if re.fullmatch(r"\d{14}", digits) else None


TIME = re.compile(r"(?:(\d{4})-(\d\d)-(\d\d)|(\d\d)/(\d\d)/(\d{4}))(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?")


def clock(value):
    """The parts of a time: a naive datetime, and its zone or None. None for what is no time, NOTHING for .NET's first day."""
    found = TIME.fullmatch(value) if isinstance(value, str) and not isinstance(value, Number) else None
    if not found:
        return None
    y, m, d, bd, bm, by, hour, minute, second, fraction, zone = found.groups()
    if value.startswith(("0001-01-01", "01/01/0001")):
        return NOTHING
    try:
        at = datetime(int(y or by), int(m or bm), int(d or bd), int(hour or 0), int(minute or 0), int(second or 0), int((fraction or "0")[:6].ljust(6, "0")))
    except ValueError:
        return None
    if zone == "Z":
        return at, timezone.utc
    if zone:
        sign, digits = zone[0], zone[1:].replace(":", "").ljust(4, "0")
        return at, timezone((1 if sign == "+" else -1) * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))
    return at, None


def day(value, is_text):
    found = clock(value)
    return found if found in (None, NOTHING) else found[0].date()


def moment(value, is_text):
    found = clock(value)
    if found in (None, NOTHING):
        return found
    at, zone = found
    return at.replace(tzinfo=zone or BRASILIA).astimezone(timezone.utc)


# --- rows -----------------------------------------------------------------------------------------------------------------------------------


class Source:
    """The rows of a source's streams, as recorded exchanges have them: pairs of a stream and a row. zone is of times without an offset."""

    def rows(self, exchange: dict):
        raise NotImplementedError


class Row(dict):
    """A row with what the connector puts in, and as it came."""

    def __init__(self, row: dict, whole: dict):
        super().__init__(row)
        self.whole = whole


class Dwv(Source):
    def rows(self, exchange):
        path, answer = exchange["path"].removeprefix("/integration/properties"), exchange["answer"]
        listed = answer if isinstance(answer, list) else answer["data"]
        name = {
            "": "properties", "/conditions": "property_conditions", "/types": "property_types", "/cities": "cities", "/avaliable_fields": "available_fields",
        }.get(path, "property_details")  # fmt: skip
        for row in [listed] if isinstance(listed, dict) else listed:
            yield name, {"name": row} if name == "available_fields" else row


class Imobiliar(Source):
    """All is asked for at one address, by an action."""

    LISTS = {
        "CONDOM_LISTA_INADIMPLENCIAS": ("condominium_overdue", "Inadimplentes"), "CADASTRO_FILIAL_PESQUISAR": ("branches", "Filiais"),
        "CADASTRO_LOJA_PESQUISAR": ("shops", "Agencias"), "CADASTRO_TAXA_PESQUISAR": ("fees", "Taxas"),
        "CTAPAG_LANCAMENTO_PESQUISAR": ("payables", "Lancamentos"), "CTAREC_BOLETO_PESQUISAR_INADIMPLENCIAS": ("overdue_bills", "Pendentes"),
        "TABELA_CONSULTAR": ("code_tables", "Itens"), "NOTIFICACAO_CONSULTAR": ("notifications", "Notificacoes"),
    }  # fmt: skip
    ROWS = {
        "CADASTRO_PESSOA_CONSULTAR": "people", "CADASTRO_FORNECEDOR_CONSULTAR": "suppliers", "LOCACAO_CONTRATO_ADM_CONSULTAR": "administration_contracts",
        "LOCACAO_CONTRATO_IMOVEL_CONSULTAR": "lease_contracts", "LOCACAO_IMOVEL_CONSULTAR": "properties",
        "CONDOM_CONDOMINIO_CONSULTAR": "condominiums", "COMERC_INTERESSADO_CONSULTAR": "interested_people",
    }  # fmt: skip
    PARTS = {  # of a row: the stream of a list in it, and what of the row stands in its rows
        "people": {"Enderecos": ("people_addresses", "CodPessoa", "DataAlteracao")},
        "administration_contracts": {
            "Proprietarios": ("administration_contract_owners", "CodContratoAdm"), "Imoveis": ("administration_contract_properties", "CodContratoAdm"),
            "Participacoes": ("administration_contract_shares", "CodContratoAdm"),
        },
        "lease_contracts": {
            "Locatarios": ("lease_contract_tenants", "CodImovel", "CodContratoLoc"), "Fiadores": ("lease_contract_guarantors", "CodImovel", "CodContratoLoc"),
        },
        "properties": {"Caracteristicas": ("property_features", "CodImovel")},
        "condominiums": {"Blocos": ("condominium_blocks", "CodCondominio")},
    }  # fmt: skip

    def rows(self, exchange):
        action, asked, answer = exchange["body"]["Header"]["Action"], exchange["body"]["Body"], exchange["answer"]["Body"]
        stream, array = self.LISTS.get(action, (self.ROWS.get(action), None))
        if exchange["answer"]["Header"]["Error"] is not False:
            return
        if action == "CONDOM_LISTA_ECONOMIAS":
            for block in answer["Blocos"]:
                for unit in block.pop("Economias") or []:
                    yield "condominium_units", padded({k: v for k, v in answer.items() if k != "Blocos"} | block | unit)
            return
        for row in (answer.get(array) or []) if array else [answer] if stream else []:
            for name, (part, *own) in self.PARTS.get(stream, {}).items():
                for position, element in enumerate(row.pop(name, None) or []):
                    put = {k: row.get(k) for k in own} | ({"Posicao": Number(position)} if part in ("people_addresses", "property_features") else {})
                    yield part, padded(element | put)
            whole = dict(row)
            put = {k: asked[k] for k in ("CodCondominio", "TipoTaxa", "TipoPesquisa", "Tabela", "CodInteressado") if k in asked}
            if stream == "overdue_bills" and row.get("CodTaxa") in (None, ""):
                put["CodTaxa"] = Number(0)
            row = {k: v for k, v in padded(row | put).items() if k not in ("SenhaInternetMD5", "LoginAdmCondom")}
            yield stream, Row(row, whole)


def padded(row: dict) -> dict:
    """A row of Imobiliar with the zeros in front of its numbers."""
    lengths = {"CEP": 8, "CPFSindico": 11, "CNPJ": 14}
    if length := {"F": 11, "J": 14}.get(str(row.get("TipoPessoa") or "").strip().upper()[:1]):
        lengths["CpfCnpj"] = length
    return {k: v.zfill(lengths[k]) if k in lengths and isinstance(v, str) and re.fullmatch(r"\d+", v) else v for k, v in row.items()}


class Imoview(Source):
    PATHS = {
        "/Usuario/RetornarTipo3": "users",
        "/Locatario/RetornarContratos": "tenant_contracts",
        "/Locatario/RetornarVistorias": "tenant_inspections",
        "/Fiador/App_RetornarContratos": "guarantor_contracts",
        "/Cliente/App_RetornarEmpresas": "client_companies",
        "/Imovel/RetornarCondominiosDisponiveis": "condominiums",
        "/ContratoAluguel/RetornarContratos": "lease_contracts",
        "/Movimento/RetornarMovimentos": "movements",
        "/Atendimento/RetornarAtendimentos": "service_requests",
        "/Imovel/RetornarTiposImoveisDisponiveis": "property_types",
        "/Imovel/RetornarListaUnidades": "branches",
        "/Imovel/RetornarListaFinalidades": "purposes",
        "/Imovel/RetornarListaDestinacoes": "destinations",
        "/Locatario/RetornarBoletosAtivos": "tenant_open_bills",
        "/Locatario/RetornarBoletosQuitados": "tenant_paid_bills",
        "/Locatario/RetornarImoveis": "tenant_properties",
        "/Locador/RetornarContratos": "landlord_contracts",
        "/Locador/RetornarImoveis": "landlord_properties",
        "/Vendedor/RetornarImoveis": "seller_properties",
        "/Comprador/RetornarNegocios": "buyer_deals",
        "/Imovel/RetornarImoveis": "properties",
        "/Imovel/App_RetornarDetalhesImovel": "property_details",
        "/Cliente/App_RetornarPessoas": "people",
        "/Usuario/App_RetornarUsuarios": "crm_users",
        "/Usuario/App_RetornarCorretores": "brokers",
        "/Imovel/RetornarCidadesDisponiveis": "cities",
        "/Imovel/RetornarBairrosDisponiveis": "neighbourhoods",
        "/Imovel/RetornarRegioesDisponiveis": "regions",
        "/Imovel/RetornarCamposExtrasDisponiveis": "extra_fields",
        "/Imovel/RetornarListaLocalChaves": "key_places",
        "/Imovel/RetornarPortaisImoveis": "portals",
    }

    def rows(self, exchange):
        path, answer = exchange["path"], exchange["answer"]
        name = self.PATHS.get(path)
        if name == "property_details":
            answer = [answer.get("imovel", answer)]
        if path == "/Imovel/RetornarImoveisDisponiveis":
            name = {"1": "properties_rent", "2": "properties_sale"}[exchange["body"]["finalidade"]]
        listed = answer if isinstance(answer, list) else answer.get("lista") or answer.get("empresas") or answer.get("dados") or []
        for row in listed if name else []:
            row = {"whatsappbotiniciarConversa" if k == "whatsappbotiniciarconversa" else k: v for k, v in row.items()}
            put = {}
            if "codigoCliente" in (exchange["query"] or {}) and path.split("/")[1] in ("Locatario", "Fiador", "Locador", "Vendedor", "Comprador"):
                put["codigocliente"] = exchange["query"]["codigoCliente"][0]
            if name == "portals":
                put["codigoimovel"] = exchange["query"]["codigosImoveis"][0]
            yield name, Row(row | put, row)


class NectarCrm(Source):
    PATHS = {
        "contatos": "contatos", "oportunidades": "oportunidades", "qualificacoes": "qualificacoes", "tarefas": "tarefas", "compromissos": "compromissos",
        "pipeline": "pipelines", "produto": "produtos", "usuario": "usuarios", "origem": "origens", "segmento": "segmentos", "categoria": "categorias",
        "equipe": "equipes", "lista": "listas",
    }  # fmt: skip
    ARRAYS = {
        "contatos": {"contatos": "contato_id", "enderecos": "contato_id", "contatosPai": "contato_id", "empresasAtuais": "contato_id"},
        "compromissos": {"participantes": "compromisso_id"},
        "pipelines": {"sequencias": "pipeline_id"},
        "produtos": {"produtos": "produto_dependente_id"},
        "oportunidades": {"produtos": "id_oportunidade"},
    }
    CHANGED = {"contatos": "contato", "compromissos": "compromisso", "pipelines": "pipeline", "oportunidades": "oportunidade"}

    def __init__(self):
        self.opportunities = {}

    def rows(self, exchange):
        parts = exchange["path"].removeprefix("/crm/api/1/").strip("/").split("/")
        if parts[:2] == ["proposta", "opportunity"]:
            for row in exchange["answer"]:
                parent = self.opportunities.get(unquote(parts[2]))
                put = {"oportunidade_id": Number(parts[2]), "oportunidade_dataatualizacao": parent}
                yield "oportunidades_propostas", ("oportunidades_propostas", row, "", put)
            return
        stream = self.PATHS.get(parts[0])
        if stream is None or not isinstance(exchange["answer"], list):
            return
        for row in exchange["answer"]:
            if stream == "oportunidades":
                self.opportunities[row["id"]] = row.get("dataAtualizacao")
            arrays = self.ARRAYS.get(stream, {})
            yield stream, (stream, {k: v for k, v in row.items() if k not in arrays}, "", {})
            changed = row.get("ultimaAtualizacao" if stream == "pipelines" else "dataAtualizacao")
            for array, own in arrays.items():
                child = f"{stream}_{array.lower()}"
                prefix = "" if child == "oportunidades_produtos" else array.lower() + "_"
                for position, element in enumerate(row.get(array) or []):
                    put = {own: row["id"]}
                    if stream in self.CHANGED:
                        put[self.CHANGED[stream] + "_dataatualizacao"] = changed
                    if child == "compromissos_participantes":
                        put["participantes_posicao"] = Number(position)
                    yield child, (child, element, prefix, put)


class SnapProperty(Source):
    def rows(self, exchange):
        answer = exchange["answer"]
        if exchange["path"].endswith("/imovel/pesquisar"):
            for row in answer["Imoveis"]:
                yield "imoveis", row
                for photo in (row.get("snap_brok__Fotos_de_im_vel__r") or {}).get("records", []):
                    yield "fotos", photo | {"snap_brok__Imovel__c": row["Id"]} | ({"LastModifiedDate": row["LastModifiedDate"]} if "LastModifiedDate" in row else {})
        elif exchange["path"].endswith("/imovel/cidades"):
            for row in answer["cidades"]:
                yield "cidades", row


SOURCES = {"source-dwv": Dwv, "source-imobiliar": Imobiliar, "source-imoview": Imoview, "source-nectarcrm": NectarCrm, "source-snapproperty": SnapProperty}


def flattened(columns: dict, row: dict, prefix: str, put: dict) -> dict:
    """A row of NectarCRM as the table has it: names in lower case, objects taken apart down to the columns. A documented field counts before another
    one that becomes the same column."""
    found: dict = {}

    def walk(fields: dict, name: str, path: str):
        for key, value in fields.items():
            full, where = name + key.lower(), path + key
            if isinstance(value, dict) and full not in columns:
                walk(value, full + "_", where + ".")
                continue
            documented = columns.get(full, {}).get("title") == where
            if full not in found or documented and not found[full][1]:
                found[full] = (value, documented)

    walk(row, prefix, "")
    flat = {name: value for name, (value, _) in found.items()} | put
    for name in list(flat):  # what is no object where one is taken apart says nothing
        if name not in columns and any(c.startswith(name + "_") for c in columns) and (flat[name] is None or isinstance(flat[name], str) and not flat[name].strip()):
            del flat[name]
    return flat


def expected_row(columns: dict, row) -> dict:
    """What the table holds of a row, by column."""
    if isinstance(row, tuple):
        row = flattened(columns, *row[1:])
    out, unparsed = {}, {}
    undeclared = {plain(k): plain(v) for k, v in row.items() if k.replace("\0", "") not in columns}
    whole = getattr(row, "whole", row)
    for name, prop in columns.items():
        value = whole if prop.get("x-whole-row") else hashed(whole) if prop.get("x-row-hash") else row.get(name)
        out[name], lost = typed(prop, value)
        if lost:
            unparsed[name] = plain(row[name])
    for name, prop in columns.items():
        if match := re.fullmatch(r"(.+)_(num|min|max)", name):
            if match[1] in columns and name not in row:
                out[name] = sibling(columns, row, match[1], match[2])
    out["_unparsed"] = unparsed or None
    if "_undeclared" in columns:
        out["_undeclared"] = undeclared or None
    return out


def hashed(row: dict) -> str:
    """The hash by which a row is known that has no key: of its bytes, which the simulators write without white space."""
    return hashlib.sha256(compact(row).encode()).hexdigest()[:32]


EXACT = {"valoraluguel", "saldo", "valor"}  # of which zero is a value


def sibling(columns: dict, row: dict, field: str, which: str) -> Decimal | None:
    """The number beside a Brazilian text, or an end of the range that it is."""
    value = row.get(field)
    ends: list = []
    if isinstance(value, Number):
        ends = [Decimal(value)] * 2
    elif isinstance(value, str):
        text = value.replace("\0", "")
        first, _, second = text.partition(" até ")
        ends = [measure(first), measure(second or first)]
        if " até " in text and not second.strip():
            ends = [None]
        units = [re.search(r"[^\W\d_][\w²³.]*\s*$", part) for part in (first, second) if part]
        if second and any(units) and not all(units):
            ends = [measure(first, True), measure(second, True)]
    if not ends or None in ends:
        return None
    low, high = sorted(ends)
    found = {"num": low if low == high else None, "min": low, "max": high}[which]
    exact = field in EXACT and f"{field}_min" not in columns
    return None if found is None or found == 0 and not exact else found


def measure(text: str, labelled: bool = False) -> Decimal | None:
    """A number with a currency or a unit, if any."""
    bare = re.sub(r"^(-?)R\$\s*(-?)", r"\1\2", text.strip())
    labelled = labelled or bare != text.strip()
    found = re.fullmatch(r"(-?[\d.,]+)\s*(%|m2|m3|km2|[^\W\d_][^\W\d_²³.]*[²³.]*)?", bare)
    if not found or found[2] in ("até", "ate"):
        return None
    labelled = labelled or found[2] not in (None, "%")
    digits = found[1]
    if re.fullmatch(r"-?\d{1,3}(\.\d{3})+(,\d+)?", digits) and ("," in digits or digits.count(".") > 1 or labelled and not digits.lstrip("-").startswith("0.")):
        return Decimal(digits.replace(".", "").replace(",", "."))
    if re.fullmatch(r"-?\d+(,\d+)?", digits):
        return Decimal(digits.replace(",", "."))
    return Decimal(digits) if re.fullmatch(r"-?\d+\.\d+", digits) else None


def tables(root: Path, source: str) -> dict[str, dict]:
    """The schema of each stream of a source, as the repository has it."""
    return {f.stem: json.loads(f.read_text()) for f in sorted((root / "specs" / source / "streams").glob("*.json"))}
