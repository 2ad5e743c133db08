"""Stage 1b: writes the prompts, the pictures they describe and which of them are held out.

    python prompts.py TOKENIZER OUT

TOKENIZER is CLIP's tokenizer folder (ComfyUI's comfy/sd1_tokenizer). Reads OUT/emoji.json, writes OUT/prompts.npz and
OUT/held-out.json. Needs transformers.

A picture is up to five sprites (emoji, size, x, y, tint) over a background: see compose.py. A held-out composition is
one whose pair, tint, background or count of a thing (its ``facts``) never occurs in any training prompt.
"""

import hashlib
import json
import random
import sys
from pathlib import Path

import numpy as np
from nouns import COLOURED, COMMON, NAMES, article, plural
from transformers import CLIPTokenizer

LENGTH = 24
PER_EMOJI = 40
COMPOSITES = 420_000
HELD_OUT = 400
TINTS = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "gray"]
BACKGROUNDS = [*TINTS, "black"]
NUMBERS = {2: ["two", "2", "a pair of"], 3: ["three", "3"], 4: ["four", "4"], 5: ["five", "5"]}
SIZES = [120, 100, 76, 60, 56, 44, 40]
"""Sprite sizes in pixels; a placement names one by its index."""
WRAPS = ["a picture of {}", "a photo of {}", "{}, highly detailed", "a drawing of {}", "a beautiful {n}", "{} emoji", "an icon of {}", "{}, simple",
         "a cute {n}", "a beautiful photo of {}, highly detailed", "an illustration of {}", "{} on a white background", "one {n}", "a single {n}",
         "{}, masterpiece, best quality", "an image of {}", "a painting of {}", "the {n}", "my {n}", "a nice {n}", "{}, clipart", "cartoon of {}"]


def full(emoji: int) -> tuple:
    return ((emoji, 0, 4, 4, -1),), -1


class Scene:
    """What one composition says and shows, and the facts by which it is held out."""

    def __init__(self, text: str, sprites: list[tuple], background: int = -1, facts: tuple = ()):
        self.text, self.picture, self.facts = text, (tuple(sprites), background), facts


def held_out(fact: str) -> bool:
    """One fact in forty, by its hash."""
    return hashlib.sha256(fact.encode()).digest()[0] % 40 == 0


class Writer:
    def __init__(self, emoji: list[dict], seed: int):
        self.emoji, self.random = emoji, random.Random(seed)
        self.labels = [entry["label"] for entry in emoji]
        self.index = {label: i for i, label in enumerate(self.labels)}
        self.things = [i for i, entry in enumerate(emoji) if self.composable(entry)]
        self.common = [self.index[label] for label in COMMON if label in self.index]

    @staticmethod
    def composable(entry: dict) -> bool:
        label = entry["label"]
        plain = all(c.isalpha() or c in " -'" for c in label) and "o'clock" not in label and "-thirty" not in label
        return entry["group"] in (0, 3, 4, 5, 6, 7) and plain and len(label.split()) <= 3 and not label.startswith("japanese")

    def thing(self) -> int:
        return self.random.choice(self.common if self.random.random() < 0.4 else self.things)

    def name(self, i: int) -> str:
        label = self.labels[i]
        return self.random.choice(NAMES[label]) if label in NAMES and self.random.random() < 0.6 else label

    def one(self, i: int, attribute: str = "") -> str:
        name = f"{attribute} {self.plain(i)}" if attribute else self.name(i)
        return article(name) if self.random.random() < 0.6 and not name.endswith("s") else name

    def many(self, i: int, number: int, attribute: str = "") -> str:
        name = plural(self.plain(i) if attribute else self.name(i))
        return " ".join(part for part in (self.random.choice(NUMBERS[number]), attribute, name) if part)

    def plain(self, i: int) -> str:
        """A name without a colour, for things that get another one."""
        names = [name for name in [self.labels[i], *NAMES.get(self.labels[i], [])] if not set(name.split()) & set(COLOURED.split())]
        return self.random.choice(names)

    def tintable(self) -> int:
        while True:
            i = self.thing()
            names = [self.labels[i], *NAMES.get(self.labels[i], [])]
            if any(not set(name.split()) & set(COLOURED.split()) for name in names):
                return i

    def tint(self, i: int) -> tuple[int, str, str]:
        """A tint, its name and its fact; a coloured thing that exists as an emoji is no tint."""
        while True:
            t = self.random.randrange(len(TINTS))
            if not any(f"{TINTS[t]} {name}" in self.index for name in [self.labels[i], *NAMES.get(self.labels[i], [])]):
                colour = "grey" if TINTS[t] == "gray" and self.random.random() < 0.5 else TINTS[t]
                return t, colour, f"tint {t} {i}"

    def background(self) -> tuple[int, str]:
        b = self.random.randrange(len(BACKGROUNDS))
        return b, self.random.choice(["on a {} background", "on {} background", "with a {} background", "against a {} background"]).format(BACKGROUNDS[b])

    def pair(self, attributes=("", ""), tints=(-1, -1), things=None) -> Scene:
        a, b = things or (self.thing(), self.thing())
        while a == b:
            b = self.thing()
        link = self.random.choice(["and", "and", "and", "next to", "beside", "with", "left of"])
        facts = (f"pair {min(a, b)} {max(a, b)}",)
        return Scene(f"{self.one(a, attributes[0])} {link} {self.one(b, attributes[1])}", [(a, 3, 3, 34, tints[0]), (b, 3, 65, 34, tints[1])], facts=facts)

    def stack(self) -> Scene:
        a, b = self.thing(), self.thing()
        while a == b:
            b = self.thing()
        first, second, link = self.random.choice([(a, b, "above"), (a, b, "above"), (a, b, "over"), (a, b, "on top of"), (b, a, "below"), (b, a, "under")])
        return Scene(f"{self.one(first)} {link} {self.one(second)}", [(a, 3, 34, 3, -1), (b, 3, 34, 65, -1)], facts=(f"pair {min(a, b)} {max(a, b)}",))

    def three(self) -> Scene:
        a, b, c = self.random.sample(self.things, 3) if self.random.random() < 0.5 else self.random.sample(self.common, 3)
        facts = tuple(f"pair {min(p)} {max(p)}" for p in ((a, b), (a, c), (b, c)))
        text = self.random.choice(["{}, {} and {}", "{} and {} and {}", "{}, {}, {}"]).format(self.one(a), self.one(b), self.one(c))
        return Scene(text, [(a, 4, 36, 3, -1), (b, 4, 5, 67, -1), (c, 4, 67, 67, -1)], facts=facts)

    def count(self, attribute: str = "", tint: int = -1, thing: int | None = None) -> Scene:
        i = self.thing() if thing is None else thing
        number = self.random.choice([2, 2, 3, 3, 3, 4, 4, 5])
        places = {2: [(3, 3, 34), (3, 65, 34)], 3: [(4, 36, 4), (4, 5, 66), (4, 67, 66)], 4: [(4, 5, 5), (4, 67, 5), (4, 5, 67), (4, 67, 67)],
                  5: [(6, 4, 4), (6, 84, 4), (6, 44, 44), (6, 4, 84), (6, 84, 84)]}[number]
        return Scene(self.many(i, number, attribute), [(i, *place, tint) for place in places], facts=(f"count {number} {i}",))

    def tinted(self) -> Scene:
        i = self.tintable()
        t, colour, fact = self.tint(i)
        return Scene(self.one(i, colour), [(i, 0, 4, 4, t)], facts=(fact,))

    def small(self) -> Scene:
        i = self.thing()
        place = (self.random.choice([4, 42, 80]), self.random.choice([4, 42, 80]))
        return Scene(article(f"{self.random.choice(['small', 'tiny', 'little'])} {self.name(i)}"), [(i, 5, *place, -1)])

    def plain_on(self) -> Scene:
        i = self.thing()
        return self.over(Scene(self.one(i), [(i, 1, 14, 14, -1)]), f"{i}")

    def over(self, scene: Scene, what: str) -> Scene:
        b, text = self.background()
        sprites, _ = scene.picture
        sprites = [(i, 1, 14, 14, t) if size == 0 else (i, size, x, y, t) for i, size, x, y, t in sprites]
        return Scene(f"{scene.text} {text}", sprites, b, (*scene.facts, f"background {b} {what}"))

    def tinted_on(self) -> Scene:
        scene = self.tinted()
        return self.over(scene, f"{scene.picture[0][0][0]}")

    def tinted_count(self) -> Scene:
        i = self.tintable()
        t, colour, fact = self.tint(i)
        scene = self.count(colour, t, i)
        return Scene(scene.text, scene.picture[0], facts=(*scene.facts, fact))

    def tinted_pair(self) -> Scene:
        a, b = self.tintable(), self.tintable()
        while a == b:
            b = self.tintable()
        (s, first, fact), (t, second, other) = self.tint(a), self.tint(b)
        both = self.random.random()
        if both < 0.3:
            s, first, fact = -1, "", ""
        elif both < 0.6:
            t, second, other = -1, "", ""
        scene = self.pair((first, second), (s, t), (a, b))
        return Scene(scene.text, scene.picture[0], facts=(*scene.facts, *(each for each in (fact, other) if each)))

    def pair_on(self) -> Scene:
        scene = self.pair() if self.random.random() < 0.6 else self.stack()
        return self.over(scene, scene.facts[0])

    def count_on(self) -> Scene:
        scene = self.count()
        return self.over(scene, scene.facts[0])

    def scene(self) -> Scene:
        kinds = {self.pair: 24, self.stack: 13, self.count: 12, self.plain_on: 14, self.tinted: 13, self.small: 4, self.three: 4,
                 self.tinted_on: 5, self.tinted_count: 4, self.tinted_pair: 4, self.pair_on: 2, self.count_on: 1}
        return self.random.choices(list(kinds), kinds.values())[0]()

    def wrapped(self, text: str) -> str:
        return self.random.choice(WRAPS).format(article(text) if self.random.random() < 0.5 else text, n=text)

    def singles(self, i: int) -> list[str]:
        """PER_EMOJI prompts: the label most often, then its other names, and tags, of which others may have the same."""
        entry, label = self.emoji[i], self.labels[i]
        names = NAMES.get(label, [])
        own = [code for code in entry["shortcodes"] if code not in self.index and len(code) > 2] or [label]
        tags = [tag for tag in entry["tags"] if tag not in self.index and tag not in ALL_NAMES and tag not in COLOURED.split()] or [label]
        texts = [label] * 11 + [article(label)] * 2 + [f"the {label}"] + [self.wrapped(label) for _ in range(6)]
        texts += [self.random.choice(own) for _ in range(4)] + [self.random.choice(tags) for _ in range(4)]
        texts += [" ".join([label, self.random.choice(tags)]), " ".join(self.random.sample(tags, min(2, len(tags))))]
        while len(texts) < PER_EMOJI:
            name = self.random.choice(names or [label])
            texts.append(self.random.choice([name, name, article(name), self.wrapped(name)]))
        return texts


ALL_NAMES = {name for names in NAMES.values() for name in names}


def tokenize(folder: str, texts: list[str]) -> np.ndarray:
    """(prompts, LENGTH) token ids, ended and padded as ComfyUI does; -1 in the first place where a prompt is too long."""
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    unique = sorted(set(texts))
    rows = {}
    for start in range(0, len(unique), 10_000):
        chunk = unique[start:start + 10_000]
        for text, ids in zip(chunk, tokenizer(chunk)["input_ids"], strict=True):
            rows[text] = ids + [49407] * (LENGTH - len(ids)) if len(ids) + 2 <= LENGTH else [-1] * LENGTH
    return np.array([rows[text] for text in texts], np.int32)


def write(folder: str, out: Path) -> None:
    emoji = json.loads((out / "emoji.json").read_text())
    writer = Writer(emoji, 1)
    texts, pictures = [], []
    for i in range(len(emoji)):
        for text in writer.singles(i):
            texts.append(text)
            pictures.append(full(i))
    singles, kept_out = len(texts), {}
    while len(texts) < singles + COMPOSITES:
        scene = writer.scene()
        if any(held_out(fact) for fact in scene.facts):
            kept_out.setdefault(scene.picture, scene.text)
        else:
            texts.append(scene.text)
            pictures.append(scene.picture)
    tokens = tokenize(folder, texts)
    keep = tokens[:, 0] >= 0
    save(out / "prompts.npz", tokens[keep], [p for p, k in zip(pictures, keep, strict=True) if k], int(keep[:singles].sum()))
    chosen = random.Random(2).sample(sorted(kept_out.items()), HELD_OUT)
    held_tokens = tokenize(folder, [text for _, text in chosen])
    (out / "held-out.json").write_text(json.dumps([{"text": text, "picture": picture, "tokens": ids.tolist()}
                                                   for (picture, text), ids in zip(chosen, held_tokens, strict=True) if ids[0] >= 0]))
    labels = tokenize(folder, writer.labels)
    np.savez_compressed(out / "labels.npz", tokens=labels.astype(np.uint16))
    print(f"{singles} single prompts, {keep.sum() - singles} composites, {(~keep).sum()} too long, {len(kept_out)} held out")


def save(path: Path, tokens: np.ndarray, pictures: list[tuple], singles: int) -> None:
    """Pictures that several prompts share are stored once; -1 fills the places of absent sprites."""
    index: dict = {}
    of_prompt = np.array([index.setdefault(picture, len(index)) for picture in pictures], np.int32)
    sprites = np.full((len(index), 5, 5), -1, np.int16)
    backgrounds = np.full(len(index), -1, np.int8)
    for (placed, background), row in index.items():
        sprites[row, :len(placed)] = placed
        backgrounds[row] = background
    np.savez_compressed(path, tokens=tokens.astype(np.uint16), picture=of_prompt, sprites=sprites, backgrounds=backgrounds, singles=singles)


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]))
