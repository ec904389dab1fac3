"""Countries by ISO 3166-1 and their states by ISO 3166-2: a place that is told otherwise decides nothing about tax."""

from __future__ import annotations

import re
from typing import Final

_CODES: Final = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO "
    "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE "
    "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO "
    "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW "
    "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM "
    "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW "
    "XK"  # Kosovo, which is user-assigned and used by banks and customs
)
COUNTRIES: Final = frozenset(_CODES.split())
"""The codes of countries and territories (ISO 3166-1 alpha-2)."""

_STATE: Final = re.compile("[A-Z0-9]{1,3}")


def state_code(told: str, country: str) -> str:
    """A state by its ISO 3166-2 code without the country: ``ct`` and ``US-CT`` are ``CT``; empty where it is no code.

    A name such as Connecticut is not guessed at: nothing says which of two tax rules it stands for.
    """
    code = told.strip().upper().removeprefix(f"{country}-")
    return code if _STATE.fullmatch(code) else ""


def is_place(told: str) -> bool:
    """Whether a text is the code of a country, or of a state with its country: ``US`` or ``US-HI``."""
    country, has_state, state = told.partition("-")
    return country in COUNTRIES and (not has_state or _STATE.fullmatch(state) is not None)
