#!/usr/bin/env python3
"""A grammar of children's stories: the whole training corpus of the demo model, written for it.

    storygen.py SEED COUNT     prints COUNT stories, a blank line between them

The same seed gives the same stories. A story is one plot told about one hero and one friend;
what the plot binds early (a name, a colour, a thing, a place) comes back later, so that a model
of the text has something to remember.
"""
from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from typing import Callable

GIRLS = "Lily Mia Anna Zoe Ruby Nora Ella Ivy Luna Rosa Hana Aisha Clara June".split()
BOYS = "Tom Ben Max Leo Sam Jack Finn Omar Noah Hugo Kenji Theo Arlo Milo".split()
CHILD_TRAITS = "small shy brave quiet happy clever kind curious young gentle cheerful".split()
ANIMAL_TRAITS = "small big old kind shy brave quiet clever sleepy hungry gentle proud".split()
ANIMALS = [
    ("rabbit", "hopped"), ("fox", "trotted"), ("bear", "walked"), ("mouse", "ran"),
    ("duck", "waddled"), ("frog", "jumped"), ("owl", "flew"), ("kitten", "crept"),
    ("puppy", "ran"), ("turtle", "walked slowly"), ("hen", "strutted"), ("squirrel", "scurried"),
    ("hedgehog", "shuffled"), ("goat", "climbed"), ("badger", "walked"), ("robin", "flew"),
]
COLOURS = "red blue green yellow white black purple orange silver brown golden pink".split()
TOYS = "ball boat drum doll train hat scarf cup book bell lamp basket key shell button ring".split()
FOODS = "apple cake pie pear carrot cheese bread plum pancake sandwich bun peach".split()
PLACES = [
    ("park", "in"), ("garden", "in"), ("forest", "in"), ("beach", "on"), ("farm", "on"),
    ("market", "at"), ("river", "by"), ("hill", "on"), ("school", "at"), ("library", "in"),
    ("barn", "in"), ("lake", "by"), ("meadow", "in"), ("old mill", "at"),
]
HIDING_PLACES = [
    "behind a tree", "inside an empty box", "near the pond", "under a big leaf",
    "next to a grey rock", "in the tall grass", "behind the gate", "under the bridge",
    "between two roots", "in a pile of hay", "below the wooden steps", "inside a hollow log",
]
WEATHER = [
    "The sun was warm", "It was a cold day", "The wind was soft", "The sky was grey",
    "It was a bright morning", "The air smelled of rain", "Small clouds crossed the sky",
    "The birds were singing", "It was a quiet afternoon", "The leaves were turning red",
]
OPENINGS = [
    "Once upon a time", "One day", "Long ago", "One morning", "Last summer", "In a small village",
    "Far away, behind the hills",
]


@dataclass(frozen=True)
class Character:
    """Somebody in a story. `name` is how the text calls them: "Mia", or "the fox"."""

    name: str
    noun: str
    trait: str
    he: str
    him: str
    his: str
    moved: str

    @property
    def is_child(self) -> bool:
        return self.name != f"the {self.noun}"

    @property
    def Name(self) -> str:
        return capital(self.name)

    @property
    def He(self) -> str:
        return capital(self.he)

    @property
    def described(self) -> str:
        """As a story first mentions them: "a shy girl named Mia", "an old fox"."""
        named = f" named {self.name}" if self.is_child else ""
        return f"{article(self.trait)} {self.noun}{named}"


def capital(text: str) -> str:
    return text[0].upper() + text[1:]


def article(word: str) -> str:
    return ("an " if word[0] in "aeiou" else "a ") + word


class Teller:
    """The chances of one story: who is in it, and which of several ways each thing is said."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.cast: set[str] = set()
        self.traits: set[str] = set()

    def pick(self, *options):
        return self.rng.choice(options)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def sometimes(self, sentence: str, probability: float = 0.5) -> str:
        return sentence if self.chance(probability) else ""

    def trait(self, traits: list[str]) -> str:
        """One that nobody in this story has yet."""
        trait = self.pick(*[trait for trait in traits if trait not in self.traits])
        self.traits.add(trait)
        return trait

    def child(self) -> Character:
        girl = self.chance(0.5)
        name = self.pick(*[n for n in (GIRLS if girl else BOYS) if n not in self.cast])
        self.cast.add(name)
        noun, he, him, his = ("girl", "she", "her", "her") if girl else ("boy", "he", "him", "his")
        return Character(name, noun, self.trait(CHILD_TRAITS), he, him, his, "ran")

    def animal(self) -> Character:
        noun, moved = self.pick(*[a for a in ANIMALS if a[0] not in self.cast])
        self.cast.add(noun)
        he, him, his = self.pick(("she", "her", "her"), ("he", "him", "his"))
        return Character(f"the {noun}", noun, self.trait(ANIMAL_TRAITS), he, him, his, moved)

    def somebody(self) -> Character:
        return self.child() if self.chance(0.6) else self.animal()

    def thing(self, nouns: list[str] = TOYS) -> tuple[str, str]:
        """A colour and a noun."""
        return self.pick(*COLOURS), self.pick(*nouns)

    def place(self) -> tuple[str, str]:
        """A place, and the same with its preposition: ("hill", "on the hill")."""
        place, preposition = self.pick(*PLACES)
        return place, f"{preposition} the {place}"

    def opening(self, hero: Character) -> str:
        when = self.pick(*OPENINGS)
        verb = self.pick("there was", "there lived") if "," not in when else "there lived"
        return f"{when}, {verb} {hero.described}."

    def goes(self, hero: Character, place: str) -> str:
        weather = self.pick(*WEATHER)
        return self.pick(
            f"{weather}, and {hero.name} {hero.moved} to the {place}.",
            f"{weather} when {hero.name} went to the {place}.",
            f"After breakfast {hero.name} {hero.moved} all the way to the {place}.",
        )

    def meets(self, hero: Character, friend: Character, where: str) -> str:
        return self.pick(
            f"{capital(where)}, {hero.he} met {friend.described}.",
            f"There {hero.he} saw {friend.described}.",
            f"{capital(friend.described)} was sitting there.",
        )

    def says(self, who: Character, words: str, verb: str = "said") -> str:
        """Direct speech. `words` ends with ? or !, or with neither for a plain statement."""
        closed = words if words[-1] in "?!" else words + "."
        quoted = words if words[-1] in "?!" else words + ","
        return self.pick(f'"{quoted}" {verb} {who.name}.', f'{who.Name} {verb}, "{closed}"')

    def asks(self, who: Character, words: str) -> str:
        return self.says(who, words, "asked")

    def thanks(self, who: Character, friend: Character) -> str:
        address = f", {friend.name}" if friend.is_child else ""
        return self.says(who, self.pick("Thank you", "Thank you so much", "You are so kind")
                         + address + "!")

    def ending(self, hero: Character, friend: Character, moral: str) -> list[str]:
        last = self.pick(
            f"From that day on, {hero.name} and {friend.name} were best friends.",
            f"{hero.Name} smiled, and {friend.name} smiled too.",
            "They laughed all the way home.",
            f"That night {hero.name} slept very well.",
            f"{hero.Name} never forgot that day.",
            f"The next day {hero.name} and {friend.name} met again.",
        )
        return [last, self.sometimes(moral, 0.4)]


def lost_thing(t: Teller) -> list[str]:
    hero, friend, witness = t.somebody(), t.somebody(), t.animal()
    colour, toy = t.thing()
    place, where = t.place()
    hidden, empty = t.rng.sample(HIDING_PLACES, 2)
    return [
        t.opening(hero),
        t.pick(f"{hero.Name} had {article(colour)} {toy} and loved it very much.",
               f"Every day {hero.he} played with {hero.his} {colour} {toy}."),
        t.goes(hero, place),
        t.pick(f"But when {hero.he} looked around, the {toy} was gone!",
               f"On the way {hero.he} dropped the {toy} and did not notice."),
        t.pick(f"{hero.Name} sat down and began to cry.",
               f"{hero.Name} looked everywhere, but it was not there."),
        t.meets(hero, friend, where),
        t.asks(friend, "Why are you so sad?"),
        t.says(hero, f"I lost my {colour} {toy}"),
        t.says(friend, t.pick("Do not worry, we will find it", "I will help you look for it")),
        f"First they looked {empty}, but they found nothing.",
        f"Then they asked {witness.described} for help.",
        t.says(witness, f"I saw something {colour} {hidden}"),
        f"They hurried back, and there it was! The {toy} was lying {hidden}.",
        t.thanks(hero, friend),
        *t.ending(hero, friend, "It is good to have a friend who helps."),
    ]


def shared_food(t: Teller) -> list[str]:
    hero, friend = t.somebody(), t.somebody()
    food = t.pick(*FOODS)
    place, where = t.place()
    return [
        t.opening(hero),
        t.pick(f"{hero.Name} had {article(food)} for lunch. It smelled very good.",
               f"In the morning {hero.he} got {article(food)} from {hero.his} grandmother."),
        t.goes(hero, place),
        t.meets(hero, friend, where),
        t.says(friend, t.pick("I am so hungry", "I have not eaten all day")),
        t.pick(f"{hero.Name} looked at the {food}. It was not very big.",
               f"At first {hero.name} did not want to share the {food}.",
               f"{hero.Name} held the {food} and thought for a moment."),
        t.pick(f"Then {hero.he} saw how tired {friend.name} was.",
               f"But then {hero.he} remembered how it feels to be hungry."),
        t.says(hero, t.pick(f"You can have half of my {food}", f"Let us share this {food}")),
        t.pick(f"They sat down and ate the {food} together.",
               f"{friend.Name} took a bite and began to smile."),
        t.says(friend, t.pick(f"This is the best {food} in the world!",
                              "Now I feel strong again!")),
        f"The next day {friend.name} came back with a basket full of "
        + t.pick("berries", "nuts", "cherries", "grapes", "mushrooms") + ".",
        t.says(friend, t.pick("Today it is my turn to share", "This is for you")),
        *t.ending(hero, friend, "What we share comes back to us."),
    ]


FEARS = [
    ("the dark", "a small lamp", "lit the lamp", "The dark was only a room without light."),
    ("the storm", "a warm blanket", "sat under the blanket", "The storm was only noise."),
    ("the deep water", "a round cork", "held the cork and jumped in", "The water was not so cold."),
    ("the tall bridge", "the end of a rope", "held the rope and walked",
     "The bridge did not even shake."),
    ("the big dog next door", "a little bone", "held out the bone",
     "The dog only wanted to play."),
]


def conquered_fear(t: Teller) -> list[str]:
    hero, friend = t.somebody(), t.somebody()
    fear, gift, deed, insight = t.pick(*FEARS)
    return [
        t.opening(hero),
        f"{hero.Name} was afraid of {fear}.",
        t.pick(f"Every time {hero.he} thought of it, {hero.his} knees began to shake.",
               f"{hero.He} never told anybody about it."),
        f"{t.pick(*WEATHER)} when {friend.described} came to visit.",
        t.asks(friend, t.pick("Why are you hiding?", "Why do you look so worried?")),
        t.says(hero, f"I am afraid of {fear}"),
        t.says(friend, t.pick("I was afraid of it too, once", "Everybody is afraid sometimes")),
        f"{friend.Name} gave {hero.him} {gift}.",
        t.says(friend, t.pick("Try it with this", "Take this, and I will stay with you")),
        f"{hero.Name} took a deep breath. Then {hero.he} {deed}.",
        t.sometimes(f"{friend.Name} counted to three, and nothing bad happened."),
        insight,
        t.says(hero, t.pick("I did it!", "I am not afraid any more!")),
        f"Now {hero.name} was not afraid of {fear}.",
        *t.ending(hero, friend, "Being brave means to try even when you are afraid."),
    ]


def windy_day(t: Teller) -> list[str]:
    hero, friend = t.somebody(), t.somebody()
    colour, toy = t.thing(["kite", "hat", "umbrella", "scarf", "balloon", "flag"])
    place, where = t.place()
    first, second = t.rng.sample([
        ("jumped as high as possible", "it was too high"),
        ("shook the tree", "it did not fall"),
        ("threw a small stick", "it missed"),
        ("waited for the wind", "the wind had gone to sleep"),
    ], 2)
    return [
        t.opening(hero),
        f"{hero.Name} was very proud of {hero.his} new {colour} {toy}.",
        t.goes(hero, place),
        t.pick("Suddenly the wind began to blow.", "Then a strong wind came over the hills."),
        f"The {toy} flew up, up, up, and got stuck in a tall tree!",
        t.says(hero, f"Oh no, my {toy}!"),
        f"{hero.Name} {first[0]}, but {first[1]}.",
        t.pick(f"{capital(friend.described)} heard {hero.him} and came to help.",
               f"Just then {friend.described} came by."),
        f"{friend.Name} {second[0]}, but {second[1]}.",
        t.says(friend, "Let us try it together"),
        t.pick(f"{hero.Name} climbed on the back of {friend.name} and reached the {toy}.",
               f"They tied two sticks together and pushed the {toy} down.",
               f"{hero.Name} held the ladder, and {friend.name} climbed up."),
        t.says(friend, f"Here is your {colour} {toy}"),
        t.thanks(hero, friend),
        *t.ending(hero, friend, "Together we can do more than alone."),
    ]


def baking(t: Teller) -> list[str]:
    hero, friend = t.somebody(), t.somebody()
    dish = t.pick("cake", "pie", "bread", "soup", "pudding")
    first, second, missing = t.rng.sample(
        ["flour", "milk", "sugar", "butter", "honey", "salt", "cinnamon"], 3)
    return [
        t.opening(hero),
        f"It was the birthday of {hero.his} friend, {friend.described}." if not friend.is_child
        else f"It was the birthday of {hero.his} friend {friend.name}.",
        f"{hero.Name} wanted to make {article(dish) if dish != 'bread' else 'some bread'}"
        f" for {friend.name}.",
        f"First {hero.he} took some {first}. Next {hero.he} took some {second}.",
        f"{hero.He} mixed it all in a big bowl.",
        f"But there was no {missing} in the house!",
        t.pick(f"{hero.Name} looked in every cupboard, but it was no use.",
               f"{hero.Name} did not know what to do."),
        f"Then somebody knocked at the door. It was {friend.name}.",
        t.asks(friend, "What are you doing?"),
        t.says(hero, f"I am making {article(dish) if dish != 'bread' else 'bread'} for you,"
                     f" but I have no {missing}"),
        t.says(friend, f"I have some {missing} at home"),
        f"{friend.Name} came back with the {missing}, and they worked together.",
        f"Soon the {dish} was ready. The whole house smelled of {second}.",
        t.says(friend, t.pick("This is the best birthday ever!", f"What a wonderful {dish}!")),
        *t.ending(hero, friend, "A present is better when it is made together."),
    ]


def night_light(t: Teller) -> list[str]:
    hero, friend = t.somebody(), t.somebody()
    colour, light = t.thing(["star", "moon", "bird", "fish", "cloud", "moth"])
    trait = t.pick("tiny", "round", "bright", "gentle", "lonely")
    return [
        t.opening(hero),
        t.pick(f"One night {hero.name} could not sleep.",
               f"One night a soft sound woke {hero.him}."),
        f"{hero.He} looked out of the window and saw {article(trait)} {colour} {light}.",
        t.says(hero, t.pick(f"Hello, little {light}", f"Where do you come from, little {light}?")),
        f"The {light} seemed to smile at {hero.him}. Then it was gone.",
        f"In the morning {hero.name} told {friend.described} about the {light}.",
        t.pick(t.says(friend, f"Nobody has ever seen {article(colour)} {light}"),
               t.says(friend, "You only had a dream")),
        t.says(hero, "Come tonight, and you will see it"),
        "When it was dark, they sat at the window and waited.",
        t.sometimes(f"{friend.Name} was almost asleep."),
        f"At last the {colour} {light} came back!",
        t.says(friend, t.pick("It is beautiful!", "You were right!")),
        f"They watched the {light} until the sun came up.",
        *t.ending(hero, friend, "Some things can only be seen by those who wait."),
    ]


def growing_seed(t: Teller) -> list[str]:
    hero, friend = t.somebody(), t.somebody()
    colour, plant = t.thing(["flower", "pumpkin", "rose", "tulip", "bean", "sunflower"])
    place, where = t.place()
    return [
        t.opening(hero),
        f"{hero.Name} found a strange seed {where}.",
        t.pick(f"{hero.He} put it in the ground and gave it some water.",
               f"{hero.He} planted it beside the house."),
        "The first day nothing happened. The second day nothing happened.",
        t.pick(f"{hero.Name} was sad and wanted to give up.",
               f"{hero.Name} sat beside it and sighed."),
        t.pick(f"{capital(friend.described)} came by and saw {hero.him}.",
               f"Then {hero.he} asked {friend.described} for advice."),
        t.asks(hero, "Why does my seed not grow?"),
        t.says(friend, t.pick("A seed needs water, sun and time",
                              "You have to wait a little longer")),
        f"So {hero.name} gave it water every morning, and {friend.name} sang to it every evening.",
        t.pick("After a week a green leaf came out of the ground.",
               "After ten days there was a tiny green leaf."),
        "The leaf became a stem, and the stem became a tall plant.",
        f"One morning there was {article(colour)} {plant} on it!",
        t.says(hero, f"Look, it is {article(colour)} {plant}!"),
        t.pick(f"{hero.Name} gave the first {plant} to {friend.name}.",
               f"Everybody came to see the {colour} {plant}."),
        *t.ending(hero, friend, "Good things take time."),
    ]


def race(t: Teller) -> list[str]:
    hero, rival = t.animal(), t.animal()
    place, where = t.place()
    prize = " ".join(t.thing(["ribbon", "cup", "bell", "crown", "medal"]))
    trouble, remedy = t.pick(
        ("stepped on a thorn", "pulled out the thorn"), ("fell into a hole", "helped {him} out"),
        ("slipped in the mud", "washed off the mud"), ("lost the way", "showed {him} the way"))
    return [
        t.opening(hero),
        f"{capital(rival.described)} lived next door and always said that {rival.he} was faster.",
        t.says(rival, f"Let us race to the {place}"),
        t.says(hero, t.pick("I will try", "I am not afraid of a race")),
        f"The winner would get {article(prize)}, and all the animals came to watch.",
        "One, two, three, go!",
        t.pick(f"{rival.Name} was soon far ahead.", f"At first {rival.name} was much faster."),
        f"But near the {place}, {rival.name} {trouble}.",
        t.says(rival, "Ouch! Help me!") if t.chance(0.5) else f"{rival.Name} could not go on.",
        t.pick(f"{hero.Name} could have won now, but {hero.he} stopped.",
               f"{hero.Name} forgot all about the {prize.split()[1]}."),
        f"{hero.He} {remedy.format(him=rival.him)}.",
        t.asks(rival, "Why did you stop for me?"),
        t.says(hero, t.pick("A friend is worth more than a race",
                            "I do not want to win like that")),
        f"They went on side by side, and both of them won the {prize}.",
        *t.ending(hero, rival, "It is better to be kind than to be first."),
    ]


def broken_thing(t: Teller) -> list[str]:
    hero, friend = t.child(), t.somebody()
    colour, toy = t.thing(["cup", "lamp", "drum", "train", "boat", "clock", "chair"])
    owner = t.pick("mother", "father", "grandmother", "grandfather", "sister", "brother")
    repair = t.pick("some glue", "a hammer and a nail", "a piece of string", "a needle and thread")
    return [
        t.opening(hero),
        f"{capital(hero.his)} {owner} had {article(colour)} {toy}.",
        t.pick(f"One day {hero.name} took the {toy} and played with it.",
               f"{hero.Name} only wanted to look at the {toy} for a moment."),
        "But it fell to the floor and broke!",
        t.pick(f"{hero.Name} hid the {toy} in a box and said nothing.",
               f"{hero.Name} wanted to run away."),
        f"{capital(friend.described)} saw that something was wrong.",
        t.asks(friend, "What happened?"),
        t.says(hero, f"I broke the {colour} {toy}"),
        t.says(friend, t.pick("You should tell the truth", "Let us try to mend it")),
        f"{friend.Name} brought {repair}, and together they mended the {toy}.",
        f"Then {hero.name} went to {hero.his} {owner}.",
        t.says(hero, f"I am sorry. I broke your {toy}"),
        f"{capital(hero.his)} {owner} looked at the {toy} for a long time.",
        f'"I am glad that you told me," said {hero.his} {owner}.',
        *t.ending(hero, friend, "It is always good to tell the truth."),
    ]


def shelter(t: Teller) -> list[str]:
    hero, guest, other = t.animal(), t.animal(), t.animal()
    home = t.pick("hollow tree", "little house", "warm cave", "small tent", "straw hut")
    weather, arrival = t.pick(("rain", "wet"), ("snow", "cold"), ("wind", "tired"))
    return [
        t.opening(hero),
        f"{hero.Name} lived in a {home}. It was not big, but it was dry and warm.",
        f"One evening the {weather} began, and it did not stop.",
        "Somebody knocked at the door.",
        f"It was {guest.described}, {arrival} and hungry.",
        t.asks(guest, "May I come in?"),
        t.says(hero, t.pick("Of course, there is room for two", "Come in and sit by the fire")),
        t.pick("A little later somebody knocked again.", "Soon there was another knock."),
        f"This time it was {other.described}.",
        t.asks(other, "Is there room for me too?"),
        t.pick(f"{hero.Name} looked around. The {home} was almost full.",
               f"{guest.Name} looked at {hero.name}, and {hero.name} looked at {guest.name}."),
        t.says(hero, t.pick("If we sit close, there is room for three", "There is always room")),
        "They sat close together and told stories all night, and nobody was cold.",
        f"In the morning the {weather} was over.",
        t.says(other, t.pick("Yours is the best home of all", "I will never forget this night")),
        *t.ending(hero, guest, "A small home is big enough for friends."),
    ]


def treasure(t: Teller) -> list[str]:
    hero, friend = t.somebody(), t.somebody()
    (place, where), (_, start) = t.place(), t.place()
    treasure_colour, box = t.thing(["box", "chest", "bag", "bottle", "jar"])
    inside, use = t.pick(
        ("were a hundred shiny buttons", "They gave a button to everybody in the village."),
        ("was an old song on a sheet of paper", "They sang the song until the sun went down."),
        ("was a picture of two friends", "The two friends looked just like them."),
        ("were seeds of every kind", "They planted them, and soon there was a new garden."),
        ("was nothing but a small mirror", "They looked into it and saw two happy faces."))
    return [
        t.opening(hero),
        f"{capital(start)}, {hero.he} found an old map.",
        f"A red cross was drawn on it, near the {place}.",
        f"{hero.Name} showed the map to {friend.described}.",
        t.says(friend, t.pick("It must be a treasure!", "Let us go and look!")),
        f"{t.pick(*WEATHER)}, and they walked to the {place}.",
        t.pick("They counted ten steps to the left and ten steps to the right.",
               "They walked around a big stone three times."),
        t.pick(f"{hero.Name} began to dig, and {friend.name} helped.",
               f"{friend.Name} had brought a shovel, and they began to dig."),
        t.sometimes("They dug until their backs hurt."),
        f"At last they found {article(treasure_colour)} {box}!",
        t.asks(friend, "What is in it?"),
        f"{hero.Name} opened the {box}. Inside {inside}.",
        t.says(hero, t.pick("What a treasure!", "I did not think of that!")),
        use,
        *t.ending(hero, friend, "The best treasure is a friend."),
    ]


def quarrel(t: Teller) -> list[str]:
    hero, friend = t.somebody(), t.somebody()
    colour, toy = t.thing(["swing", "sled", "boat", "ball", "drum", "puzzle"])
    place, where = t.place()
    return [
        t.opening(hero),
        f"{hero.Name} had a good friend, {friend.described}."
        if not friend.is_child else f"{hero.Name} had a good friend named {friend.name}.",
        f"One day they found {article(colour)} {toy} {where}.",
        t.says(hero, "It is mine, I saw it first!"),
        t.says(friend, "No, it is mine!"),
        t.pick(f"They pulled and pulled, and nobody could play with the {toy}.",
               "They were so angry that they did not speak any more."),
        f"{hero.Name} went home alone.",
        t.pick("But it was boring to play alone.", "But the afternoon was long and quiet."),
        f"{hero.He} thought of {friend.name}, and {hero.his} heart felt heavy.",
        t.pick(f"The next morning {hero.he} {hero.moved} back to the {place}.",
               f"After breakfast {hero.he} went to the {place} again."),
        f"{friend.Name} was already there, with the {colour} {toy}.",
        t.says(friend, t.pick("I am sorry", "I missed you")),
        t.says(hero, t.pick("I am sorry too", "I missed you too")),
        f"First {friend.name} played with the {toy}, and then it was the turn of {hero.name}.",
        *t.ending(hero, friend, "Taking turns is more fun than being alone."),
    ]


def rescue(t: Teller) -> list[str]:
    hero, victim, strong = t.somebody(), t.animal(), t.somebody()
    trap = t.pick("a deep hole", "a fishing net", "the thick mud", "an old bucket", "a thorn bush")
    place, where = t.place()
    tool = t.pick("a long rope", "a strong branch", "a wooden board", "an old blanket")
    return [
        t.opening(hero),
        t.goes(hero, place),
        t.pick("Suddenly there was a quiet voice.", f"Then {hero.he} heard somebody cry."),
        '"Help! I cannot get out!"',
        f"It was {victim.described}, stuck in {trap}.",
        t.says(hero, "Stay calm, I will help you"),
        f"{hero.Name} pulled and pulled, but {hero.he} was not strong enough.",
        f"So {hero.he} {hero.moved} to fetch {strong.described}.",
        t.says(strong, t.pick(f"We need {tool}", f"I know what to do. Bring me {tool}")),
        f"{hero.Name} found {tool} {where}.",
        f"{strong.Name} held one end, and {victim.name} held the other.",
        t.pick("They pulled once, they pulled twice, and the third time it worked!",
               "One, two, three, and it worked!"),
        f"{victim.Name} was free again.",
        t.thanks(victim, hero),
        t.says(strong, "You were right to ask for help"),
        *t.ending(hero, victim, "Nobody has to do everything alone."),
    ]


Plot = Callable[[Teller], "list[str]"]
PLOTS: list[Plot] = [
    lost_thing, shared_food, conquered_fear, windy_day, baking, night_light, growing_seed,
    race, broken_thing, shelter, treasure, quarrel, rescue,
]


def story(rng: random.Random) -> str:
    """One story: sentences on one line, now and then a new paragraph."""
    teller = Teller(rng)
    first, *rest = [sentence for sentence in rng.choice(PLOTS)(teller) if sentence]
    text = first
    for sentence in rest:
        text += ("\n" if teller.chance(0.1) else " ") + sentence
    return text


if __name__ == "__main__":
    generator = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print("\n\n".join(story(generator) for _ in range(count)))
