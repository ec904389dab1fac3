"""Examples of the standards and of textbooks that are not among the published cases beside this clone, by their ids."""

from __future__ import annotations

from typing import Final

SOURCES: Final = {
    "X02": "IFRS 15 IE Ex.2 (IE7-9)",
    "X05A": "IFRS 15 IE Ex.5 case A (IE19-21)",
    "X05B": "IFRS 15 IE Ex.5 case B (IE22-24)",
    "X06": "IFRS 15 IE Ex.6 (IE25-32)",
    "X19": "IFRS 15 IE Ex.19 (IE95-100)",
    "X24": "IFRS 15 IE Ex.24 (IE124-128)",
    "X33": "IFRS 15 IE Ex.33 (IE164-166)",
    "X34A": "IFRS 15 IE Ex.34 case A (IE167-172)",
    "X34B": "IFRS 15 IE Ex.34 case B (IE173-175)",
    "X35A": "IFRS 15 IE Ex.35 case A (IE178-180)",
    "X35B": "IFRS 15 IE Ex.35 case B (IE181-187)",
    "X38": "IFRS 15 IE Ex.38 case B (IE199-200)",
    "X39": "IFRS 15 IE Ex.39 (IE201-204)",
    "X40": "IFRS 15 IE Ex.40 (IE205-208)",
    "X52": "IFRS 15 IE Ex.52 (IE267-270)",
    "K-PROFIT": "Kieso, Intermediate Accounting ch. 18, Hardhat Construction",
    "K-LOSS-YEAR": "Kieso, Intermediate Accounting ch. 18, Hardhat: loss in the current period",
    "K-LOSS": "Kieso, Intermediate Accounting ch. 18, Hardhat: loss on an unprofitable contract",
    "HARDING": "Spiceland, Intermediate Accounting ch. 5, Harding Construction at 5,000,000 (from memory)",
    "HARDING-LOSS": "Spiceland, Harding Construction: a loss, tutorsglobe.com 53044231 (inputs; figures from memory)",
    "HARDING-10": "Spiceland, Harding Construction at 10,000,000, zuoti.pro 2024899 (figures checked)",
    "NANCE": "brainmass.com 208490, Nance Contractors: building at 6,000,000",
    "LTC-LOSS": "instantcertcredit.com, lesson 332: a loss in one year of a building at 16,000,000",
    "HANDLER": "Kieso, Intermediate Accounting ch. 18, Handler: equipment, installation and training",
    "HANDSET": "IFRSbox, IFRS 15 examples, example 1: a plan for 100 a month with a free handset",
    "IFRIC22-4": "IFRIC 22 IE Ex.4 (IE16-19)",
    "AMERCO": "Hoyle, Advanced Accounting ch. 7, Amerco: a sale of 1,000,000 euros",
}
