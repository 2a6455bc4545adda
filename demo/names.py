"""Invented companies and people. No list names a real customer; the order is part of the determinism."""

from __future__ import annotations

STEMS = """
Halden Tessera Orchid Kestrel Marlow Brightwater Castellan Dunmore Everline Fairhaven Glenroth Harrow Inverness
Juniper Kingsley Larkspur Meridian Northgate Oakmere Pemberton Quarry Ravenhill Silverton Thornbury Underwood
Valmont Westbrook Yarrow Zephyr Abernathy Blackwood Corvina Delmar Eastleigh Foxglove Granville Hollis Ironbridge
Jarrow Kirkwall Lindqvist Montclair Novara Ostrava Palisade Quillon Rosendal Santoro Tamarind Ulverton Vantage
Wexford Arden Bellweather Cobalt Drummond Ellery Farrow Gdansk Hawthorne Isley Jessamine Kolding Lowell Mistral
Norwick Ostende Pellworm Ravelin Stellan Trelawney Umbria Verity Winslow Alcott Birchfield Caldera Dorset Elmstead
Fenwick Garrick Highmoor Ibsen Jorvik Keating Lavender Mowbray Nettleton Oresund Piedmont Quayside Rutherford
Selwyn Tidewater Upland Viola Wrenfield Ashdown Brantley Calloway Devonport Edgewater Falkirk Greystone Huxley
Ingram Jasper Kilbride Langford Merriton Newhaven Okanagan Pinecrest Ridgeway Stratham Tolland Vesper Whitaker
Aldgate Borealis Cinder Danforth Emberly Fjordland Galloway Hartwell Islington Jutland Kensal Lorimer Matterhorn
Nordkap Ormond Penrose Redwater Sandoval Torrance Vistula Waverley Amaranth Brookline Clearwater Dovetail Estrella
Foundry Grantham Hollowell Ivory Jubilee Kerrigan Lockwood Millbrook Nightingale Overton Paxton Roswell Sterling
Tarragon Varga Wyndham Anselm Bramble Cordova Dalton Escher Fulton Gerrard Hensley
""".split()

FIRST_NAMES = """
Mara Pieter Sanne Ilse Jonas Priya Elena Tomasz Aisha Daniel Sofia Lukas Mei Carlos Ingrid Omar Hannah Rafael Yuki
Nadia Oliver Fatima Henrik Grace Mateo Zofia Liam Amara Viktor Chloe Samir Lena Andre Noor Felix Camila Erik Anya
Marcus Leila Julian Rosa Anders Keiko Simon Tara Diego Freya Malik Clara Hugo Selma Ravi Nina Oscar Bianca Theo
Ines Karim Astrid
""".split()

LAST_NAMES = """
Lind Vos Bakker Meyer Novak Sharma Rossi Kowalski Rahman Carter Almeida Brandt Chen Mendez Larsen Haddad Fischer
Santos Tanaka Petrov Wright Khan Nilsson Murphy Garcia Zielinski Brennan Okafor Hoffmann Laurent Aziz Keller Moreau
Hassan Weber Ferreira Dahl Ivanova Reed Karimi Schmidt Ortiz Berg Mori Hughes Singh Navarro Jensen Osei Duarte
Lehmann Aydin Patel Costa Lindgren Marino Vogel Silva Demir Holm Abbott Baptiste Cavalli Dekker Eklund Fontaine
Grant Horvath Ibarra Jovanovic
""".split()

TITLES = {
    "executive_sponsor": ("Chief Operating Officer", "VP Operations", "Managing Director", "Chief Digital Officer"),
    "decision_maker": ("Director of Operations", "Head of Procurement", "Finance Director"),
    "champion": ("Programme Manager", "Operations Lead", "Head of Transformation"),
    "administrator": ("Systems Administrator", "Application Owner", "IT Manager"),
    "power_user": ("Senior Analyst", "Team Lead", "Planner", "Quality Engineer"),
    "economic_buyer": ("Chief Financial Officer", "VP Finance"),
}

COUNTRIES = ("US", "US", "US", "US", "GB", "DE", "NL", "SE", "FR", "CA", "PL", "ES", "DK", "IT", "NO")


def person(number: int) -> str:
    """The ``number``-th name; the first 4,000 or so differ from each other."""
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    last = LAST_NAMES[(number * 7 + number // len(FIRST_NAMES)) % len(LAST_NAMES)]
    return f"{first} {last}"


def email(name: str, domain: str) -> str:
    """``Mara Lind`` at ``halden.example`` → ``mara.lind@halden.example``."""
    return f"{name.lower().replace(' ', '.')}@{domain}"
