"""Word lists and small draws that the four tasks share. Standard library only; every list is our own.

The `NEW_*` lists are kept out of training altogether: they only appear in held-out rows.
"""

from collections.abc import Callable
from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NAMES = _words("""
    Anna Tom Maria Ben Clara David Elena Felix Grace Henry Ida Jack Karin Leo Mia Nina Oscar Paula Quinn
    Rosa Sam Tara Uma Victor Wanda Yusuf Zoe Adam Bella Carlos Daisy Emil Fiona George Hanna Igor Julia
    Kevin Laura Marco Nora Otto Petra Rita Simon Tessa Viktor Walter Yara Alma Boris Cora Dario Edith
    Frank Greta Hugo Irma Jonas Kira Lukas Magda Noah Olga Pablo Ruth Sofia Theo Vera Liam Amir Priya
    Kofi Mei Omar Leila Sven Ingrid Pedro Lucia
""")
NEW_NAMES = _words("""
    Thora Basil Wilma Ronan Saskia Edgar Imani Dorte Cyril Padma Lorne Mirela Tobin Freda Anselm Juno
    Ravi Beatrix Casper Ottilie
""")
CITIES = _words("""
    Oslo Paris Lyon Berlin Madrid Rome Vienna Prague Dublin London Leeds York Bergen Turin Milan Porto
    Lisbon Athens Zurich Geneva Basel Munich Hamburg Bremen Ghent Bruges Delft Utrecht Malmo Lund Turku
    Riga Tallinn Vilnius Warsaw Krakow Lima Quito Bogota Havana Boston Denver Dallas Austin Toronto
    Ottawa Cairo Tunis Nairobi Accra Lagos Delhi Mumbai Tokyo Osaka Seoul Hanoi Manila Sydney Perth
""")
NEW_CITIES = _words("""
    Tromso Cadiz Graz Leuven Cork Bari Aarhus Gdansk Split Kyoto Cusco Fresno Hobart Siena Nantes
""")
COLORS = _words("red blue green black white yellow grey brown pink purple orange golden")
ITEMS = _words("""
    mug plate lamp chair table scarf hat jacket basket notebook pencil candle pillow blanket bottle bowl
    clock vase towel kettle backpack umbrella ribbon curtain cushion teapot spoon glove sweater rug
    bench bucket cabinet carpet comb cup desk fan flask folder fork frame funnel globe hammer hanger
    hook jar jug ladle lantern marker mat mattress mitten mop needle paddle pan parasol peg pen picture
    pitcher planter poster pot purse puzzle racket razor ring rope ruler sandal saucer shawl sheet shirt
    shovel skirt slipper sofa sponge stapler sticker stove suitcase tile toaster trunk tub tumbler
    wallet watch wheel whistle wreath
""")
NEW_ITEMS = _words("""
    tray stool mirror apron ladder napkin bracelet helmet kite magnet necklace pouch quilt rake saddle
    tent
""")
COUNTED = _words("""
    apples pears marbles stickers stamps coins books cards shells pencils cookies balloons buttons beads
    plums tickets eggs tulips
""")
DAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
MONTHS = _words("January February March April May June July August September October November December")
JOBS = _words("""
    baker teacher nurse pilot farmer lawyer painter plumber dentist chef tailor carpenter librarian
    gardener mechanic judge
""")
FOODS = _words("soup rice pasta curry salad pizza stew pancakes fish noodles dumplings lentils")
INSTRUMENTS = _words("violin piano guitar flute drums cello harp trumpet banjo organ")
PLACES = _words("library garden kitchen museum station school theatre harbour park market chapel stadium")
NUMBER_WORDS = {
    1: "one",
    2: "two",
    3: "three",
    4: "four",
    5: "five",
    6: "six",
    7: "seven",
    8: "eight",
    9: "nine",
    10: "ten",
    12: "a dozen",
}

_ONSETS = _words("b c d f g h k l m n p r s t v z br dr gr kl st tr")
_VOWELS = "aeiou"
_ENDINGS = ("", "n", "l", "r", "s", "m", "la", "ra", "nd")
_NEW_SHARE = 0.06
_INVENTED_SHARE = 0.3


def chance(rng: Random, share: float) -> bool:
    """Return True for this share of the calls."""
    return rng.random() < share


def plural(noun: str) -> str:
    """Return the plural of one of our nouns; the lists hold no irregular noun but scarf."""
    if noun == "scarf":
        return "scarves"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def invented_word(rng: Random) -> str:
    """Return a pronounceable word that is in no list: it can only be copied, not remembered."""
    syllables = (rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(rng.choice((1, 2, 2))))
    return "".join(syllables) + rng.choice(_ENDINGS)


def person(rng: Random, held_out: bool) -> str:
    """Return a first name: in training often an invented one, in held-out rows sometimes an unseen one."""
    return _proper_name(rng, held_out, NAMES, NEW_NAMES)


def town(rng: Random, held_out: bool) -> str:
    """Return a city, by the same rule as `person`."""
    return _proper_name(rng, held_out, CITIES, NEW_CITIES)


def _proper_name(rng: Random, held_out: bool, known: tuple[str, ...], new: tuple[str, ...]) -> str:
    if held_out:
        return rng.choice(new if chance(rng, _NEW_SHARE) else known)
    return invented_word(rng).capitalize() if chance(rng, _INVENTED_SHARE) else rng.choice(known)


def distinct(draw: Callable[[], str], count: int, taken: tuple[str, ...] = ()) -> list[str]:
    """Return `count` different words of `draw`, none of them in `taken`."""
    words: list[str] = []
    while len(words) < count:
        word = draw()
        if word not in words and word not in taken:
            words.append(word)
    return words


def capitalized(text: str) -> str:
    """Return the text with its first letter in upper case and the rest as it is."""
    return text[:1].upper() + text[1:]
