"""What some three hundred names stand for, one a line.

``python -m tests.gazetteer.known`` writes them anew; read what changed.
"""

from pathlib import Path

from geodata import gazetteer

KNOWN = Path(__file__).parent / "known.tsv"
TEXTS = """
Kyoto, Japan | Paris, France | Paris, Texas | Paris, TX | Paris, TX, USA | Paris | paris | PARIS
Springfield | Springfield, Illinois | Springfield, IL | Springfield, United States | Portland
Portland, Maine | London | London, Ontario | London, Canada | London, CA | London, UK | Londres
Cambridge | Cambridge, Massachusetts | Cambridge, England | Birmingham | Birmingham, Alabama
San Jose | San José, Costa Rica | San Jose, CA | Santiago | Santiago, Chile
Santiago de Compostela | Georgia | Georgia, USA | Tbilisi, Georgia | Atlanta, Georgia
Atlanta, GA | Washington | Washington, DC | Washington, D.C., USA | Washington State | New York
New York, NY | New York City | LA | NY | SF | CA | DC | NO | IN | IT | DE | US | UK | USA
U.S.A. | UAE | PR | HK | Macau, China | Hong Kong | Hong Kong, China | Macau | Taipei, Taiwan
Taiwan | Puerto Rico | San Juan, Puerto Rico | San Juan, USA | Guam | Nuuk, Denmark
Nuuk, Greenland | Papeete, France | Réunion | Saint-Denis | Saint-Denis, Réunion
St. Petersburg | Saint Petersburg, Florida | St Petersburg, Russia | Moscow | Moscow, Idaho
Москва | Москва, Россия | 東京 | 東京, 日本 | 京都 | 北京 | 北京市 | 上海, 中国 | 서울 | القاهرة
Αθήνα | Zürich | Zurich | Zuerich | München | Munich | Muenchen | Köln | Cologne | Koeln
Frankfurt | Frankfurt am Main | Frankfurt (Oder) | Bern | Berne | Vienna | Wien
Wien, Österreich | Praha | Prague, Czechia | Prague, Czech Republic | Kraków | Krakow | Warszawa
Bucharest, Romania | Budapest | Beograd | Skopje, Macedonia | Skopje, North Macedonia | Lisbon
Lisboa, Portugal | Porto | Oporto | São Paulo | Sao Paulo, Brazil | Rio | Rio de Janeiro
Rio de Janeiro, RJ | Salvador | Salvador, Bahia | El Salvador | San Salvador | Mexico
Mexico City | Ciudad de México | Bogotá | Lima | Lima, Ohio | Lima, Peru | La Paz
La Paz, Mexico | Quito | Buenos Aires | Montevideo | Asunción | Caracas | Panama | Panama City
Panama City, Florida | Havana, Cuba | Kingston | Kingston, Jamaica | Kingston, Ontario
Victoria | Victoria, BC | Victoria, Seychelles | Victoria, Australia | Melbourne
Melbourne, VIC | Melbourne, Florida | Perth | Perth, Scotland | Perth, WA | Perth, WA, Australia
Sydney | Sydney, NSW | Sydney, Nova Scotia | Newcastle | Newcastle, NSW | Newcastle upon Tyne
Hamilton | Hamilton, New Zealand | Hamilton, Bermuda | Wellington | Auckland, NZ | Suva, Fiji
Honolulu, Hawaii | Honolulu, HI | Anchorage, AK | Delhi | New Delhi | New Delhi, India | Mumbai
Bombay | Kolkata | Calcutta | Hyderabad | Hyderabad, India | Hyderabad, Pakistan | Karachi
Dhaka, Bangladesh | Kathmandu | Colombo | Bangkok | Hanoi | Saigon | Ho Chi Minh City
Phnom Penh | Jakarta | Singapore | Singapore, Singapore | Manila | Kuala Lumpur | George Town
George Town, Malaysia | Tripoli | Tripoli, Lebanon | Tripoli, Libya | Alexandria
Alexandria, Egypt | Alexandria, Virginia | Alexandria, VA | Cairo | Cairo, Illinois | Lagos
Lagos, Portugal | Abuja | Accra | Dakar | Nairobi | Kampala | Kigali | Kinshasa | Congo
Johannesburg | Cape Town | Pretoria, South Africa | Harare | Lusaka | Windhoek | Jerusalem
Tel Aviv | Gaza | Beirut | Damascus | Baghdad | Tehran | Kabul | Istanbul | Constantinople
Ankara, Turkey | Ankara, Türkiye | Baku | Yerevan | Tashkent | Astana | Nur-Sultan | Almaty
Bishkek | Ulaanbaatar | Pyongyang | Seoul, South Korea | Korea | South Korea | North Korea
Bavaria | Bayern, Germany | Tuscany | Tuscany, Italy | Florence | Florence, Italy
Florence, Alabama | Venice | Venice, California | Naples | Naples, FL | Rome | Rome, Georgia
Milan | Catalonia | Barcelona | Barcelona, Venezuela | Valencia | Valencia, Spain | Granada
Granada, Nicaragua | Córdoba | Cordoba, Argentina | Toledo | Toledo, Ohio | Toledo, Spain
Île-de-France | Brittany | Nice | Nice, France | Tours | Nancy | Orange | Orange, France | Bath
Bath, England | Reading | Reading, UK | Reading, PA | Dublin | Dublin, Ohio | Dublin, Ireland
Belfast | Cardiff, Wales | Edinburgh, Scotland | Glasgow | Holland | Netherlands | Amsterdam
The Hague | Den Haag | Brussels | Bruxelles | Antwerp | Luxembourg | Luxembourg, Luxembourg
Monaco | Vatican City | Holy See | Andorra | Andorra la Vella | Gibraltar | Malta | Valletta
Kosovo | Pristina, Kosovo | Pristina, Serbia | Crimea | Simferopol, Russia | Simferopol, Ukraine
Sevastopol | Northern Cyprus | Western Sahara | Somaliland | Transnistria | Antarctica | Unknown
None | N/A | nowhere | I don't know | Atlantis | asdfghjkl | - | , | France, Paris
Paris; France | Paris (France) | Tokyo、Japan | Shibuya, Tokyo, Japan | Brooklyn, New York, USA
Manhattan | Montmartre, Paris, France | Rural area, Kenya | Near Nairobi, Kenya | Unknown, Kenya
Kenya, unknown | 123 | 48.85, 2.35 | Tokyo123 | New York, New York, New York | X, Y, Z | Ontario
Ontario, California
"""
PARTS = [
    {"country": "FR"}, {"country": "France"}, {"country": "france", "city": "Paris"},
    {"country": "US", "admin1": "Texas"}, {"country": "US", "admin1": "TX", "city": "Paris"},
    {"country": "US", "city": "Paris"}, {"admin1": "Texas"}, {"city": "Paris"},
    {"country": "JP", "admin1": "Kyoto", "city": "Kyoto"},
    {"country": "FR", "city": "Tokyo"},
    {"country": "Nowhere", "city": "Paris"},
    {"country": "DE", "admin1": "Bayern", "city": "Munich"},
    {"country": "DE", "admin1": "Berlin", "city": "Munich"},
    {"country": "GB", "admin1": "Scotland"},
    {"country": "CN", "city": "Hong Kong"}, {"country": "US", "admin1": "Puerto Rico"},
]  # fmt: skip


def told(place: gazetteer.Place | None) -> str:
    if place is None:
        return "nothing"
    doubt = " ?" if place.ambiguous else ""
    return (
        f"{place.level} {place.name} {place.country_code} {place.admin1_code} {place.code} "
        f"{place.lat:.3f} {place.lon:.3f} {place.population}{doubt}"
    )


def lines() -> list[str]:
    """Return what each name stands for, and what each set of parts does."""
    texts = [text.strip() for text in TEXTS.replace("\n", "|").split("|")]
    made = [f"{text!r}\t{told(gazetteer.geocode(text))}" for text in texts if text]
    for parts in PARTS:
        try:
            found = told(gazetteer.geocode(**parts))
        except (LookupError, ValueError) as error:
            found = f"{type(error).__name__}: {error}"
        made.append(f"{parts}\t{found}")
    return made


if __name__ == "__main__":
    KNOWN.write_text("\n".join(lines()) + "\n", encoding="utf-8")
