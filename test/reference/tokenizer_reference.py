"""Regenerates test/fixtures/tokenizer: an independent tokenizer with a vocabulary of our own.

CLIP's vocabulary is not part of this repository, so the tests of a plain clone use merges learnt here from corpus.txt, and the
token ids that this implementation gives with them. It is written for plainness (character by character, merges one at a time
on lists of strings) and shares no code or method with src/clip/tokenizer.

    python3 test/reference/tokenizer_reference.py

reads corpus.txt and texts.json, writes merges.txt, expected.json and unescape.json. Standard library only.
"""

import html
import html.entities
import json
import pathlib
import unicodedata
from collections import Counter

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures" / "tokenizer"
MERGES = 600
SPECIAL = ("<|startoftext|>", "<|endoftext|>")
CONTRACTIONS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")
WHITE_SPACE = {chr(c) for c in [*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]}


def clean(text):
    text = html.unescape(html.unescape(text)).strip()
    collapsed = ""
    for c in text:
        if c not in WHITE_SPACE:
            collapsed += c
        elif not collapsed.endswith(" "):
            collapsed += " "
    return collapsed.strip().lower()


def kind(c):
    if c in WHITE_SPACE or c == "\u0345":
        return "none"
    return {"L": "letter", "N": "digit"}.get(unicodedata.category(c)[0], "other")


def literal_at(text, i):
    """A special token or contraction at position i, where the long s counts as an s."""
    for literal in (*SPECIAL, *CONTRACTIONS):
        if text[i : i + len(literal)].replace("\u017f", "s") == literal:
            return text[i : i + len(literal)]
    return None


def words(text):
    i = 0
    while i < len(text):
        literal = literal_at(text, i)
        k = kind(text[i])
        if literal:
            yield literal
            i += len(literal)
        elif k == "none":
            i += 1
        elif k == "digit":
            yield text[i]
            i += 1
        else:
            j = i
            while j < len(text) and kind(text[j]) == k:
                j += 1
            yield text[i:j]
            i = j


def byte_table():
    order = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    symbols = {b: chr(b) for b in order}
    for b in range(256):
        if b not in symbols:
            symbols[b] = chr(0x100 + len(symbols) - len(order))
    return symbols  # in order of token id


BYTES = byte_table()


def symbols_of(word):
    symbols = [BYTES[b] for b in word.encode("utf-8")]
    symbols[-1] += "</w>"
    return symbols


def merged(symbols, pair):
    out, i = [], 0
    while i < len(symbols):
        if tuple(symbols[i : i + 2]) == pair:
            out.append(symbols[i] + symbols[i + 1])
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return out


def learn(corpus, count):
    """The most frequent pair again and again; ties go to the pair that sorts first."""
    vocabulary = Counter(words(clean(corpus)))
    split = {w: symbols_of(w) for w in vocabulary}
    known = {t for s in BYTES.values() for t in (s, s + "</w>")}
    merges = []
    while len(merges) < count:
        pairs = Counter()
        for w, n in vocabulary.items():
            for pair in zip(split[w], split[w][1:]):
                if pair[0] + pair[1] not in known:
                    pairs[pair] += n
        if not pairs:
            break
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        known.add(best[0] + best[1])
        split = {w: merged(s, best) for w, s in split.items()}
    return merges


def encode(text, merges, ids):
    out = []
    for word in words(clean(text)):
        if word in SPECIAL:
            out.append(ids[word])
            continue
        symbols = symbols_of(word)
        for pair in merges:  # in order of priority: a pair that appears later can only have a later merge
            if len(symbols) > 1:
                symbols = merged(symbols, pair)
        out += [ids[s] for s in symbols]
    return out


def unescape_cases():
    cases = [f"&{name}" for name in html.entities.html5]
    for c in [*range(0x0, 0xA2), 0xD7FF, 0xD800, 0xDFFF, 0xE000, 0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFF, 0x110000, 2**32 + 65]:
        cases += [f"&#{c};", f"&#x{c:x}z"]
    cases += ["&", "&&amp;", "&amp;lt;", "&ampamp;", "&notit;", "&notin;", "&NOTIT;", "&" + "a" * 40 + ";", "&am&#1;p;", "&#", "&#;", "&#xg", "&lt ;"]
    cases += ["&#65&#66", "&#38;amp;", "& lt;", "&copy2", "&thetasymx;", "&CounterClockwiseContourIntegral;", "&#\u0663;", "&#X41;", "&#x41g"]
    return [[c, html.unescape(c)] for c in cases]


def main():
    corpus = (FIXTURES / "corpus.txt").read_text("utf-8")
    texts = json.loads((FIXTURES / "texts.json").read_text("utf-8"))
    merges = learn(corpus, MERGES)
    tokens = [*BYTES.values(), *(s + "</w>" for s in BYTES.values()), *(a + b for a, b in merges), *SPECIAL]
    ids = {t: i for i, t in enumerate(tokens)}
    (FIXTURES / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), "utf-8")
    expected = ",\n".join(json.dumps({"text": t, "ids": encode(t, merges, ids)}, ensure_ascii=True) for t in texts)
    (FIXTURES / "expected.json").write_text(f"[\n{expected}\n]\n", "utf-8")
    cases = ",\n".join(json.dumps(c) for c in unescape_cases())
    (FIXTURES / "unescape.json").write_text(f"[\n{cases}\n]\n", "utf-8")


if __name__ == "__main__":
    main()
