"""A byte-pair vocabulary in CLIP's format, learnt from words (Sennrich et al., 2016; byte alphabet as in GPT-2).

Ids: 256 byte symbols, the same 256 ending a word (`</w>`), one id for each merge, start of text, end of text.
"""
import json
import os
import re
from collections import Counter

START, END = "<|startoftext|>", "<|endoftext|>"


def byte_symbols():
    """A printable character for each byte, in the order of the ids: printable Latin-1 first, then the rest."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(others))]


def split_words(text):
    """CLIP's word pattern, for the lower-case ASCII text that our captions are made of."""
    return re.findall(r"[a-z]+|[0-9]|[^\sa-z0-9]+", text.lower())


def split_symbols(word):
    return tuple(word[:-1]) + (word[-1] + "</w>",)


def join_pair(symbols, pair):
    joined, index = [], 0
    while index < len(symbols):
        if symbols[index : index + 2] == pair:
            joined.append(pair[0] + pair[1])
            index += 2
        else:
            joined.append(symbols[index])
            index += 1
    return tuple(joined)


def learn_merges(counts, limit):
    """Joins the most frequent neighbours (ties: the alphabetically first) until `limit` merges are learnt."""
    words = {split_symbols(word): count for word, count in counts.items()}
    merges = []
    while len(merges) < limit:
        pairs = Counter()
        for symbols, count in words.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += count
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        words = {join_pair(symbols, best): count for symbols, count in words.items()}
    return merges


class Tokenizer:
    def __init__(self, merges):
        self.merges = merges
        self.rank = {pair: index for index, pair in enumerate(merges)}
        alphabet = byte_symbols()
        symbols = [*alphabet, *(symbol + "</w>" for symbol in alphabet), *("".join(pair) for pair in merges)]
        self.ids = {symbol: index for index, symbol in enumerate([*symbols, START, END])}
        assert len(self.ids) == 512 + len(merges) + 2, "two merges give the same symbol"
        self.start, self.end = self.ids[START], self.ids[END]
        self.cache = {}

    @classmethod
    def load(cls, folder):
        with open(os.path.join(folder, "merges.txt"), encoding="utf-8") as file:
            return cls([tuple(line.split()) for line in file.read().splitlines()[1:]])

    def save(self, folder):
        with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as file:
            file.write("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in self.merges))
        with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as file:
            json.dump(self.ids, file, ensure_ascii=False)
            file.write("\n")

    def encode_word(self, word):
        if word not in self.cache:
            symbols = split_symbols(word)
            while len(symbols) > 1:
                pair = min(zip(symbols, symbols[1:]), key=lambda pair: self.rank.get(pair, len(self.rank)))
                if pair not in self.rank:
                    break
                symbols = join_pair(symbols, pair)
            self.cache[word] = [self.ids[symbol] for symbol in symbols]
        return self.cache[word]

    def encode(self, text):
        """Token ids without start and end."""
        return [token for word in split_words(text) for token in self.encode_word(word)]
