"""The words that decide sameness: function words, negation, numbers, opposites, directions."""

import re

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
NOT = re.compile(r"n't\b")
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff]")
PARTS = re.compile(f"{UNSPACED.pattern}|[^{UNSPACED.pattern[1:]}+")
ENDING = re.compile(r"(?<=.{4})(?:en|em|er|es|e|s|n|x)$")
SILENT = re.compile(
    "怎么样|怎么|怎麼|怎样|如何|请问|請問|でしょうか|ですか|ますか|です|ます|ください"
)
A_NOT_A = re.compile(r"([能可会會是有要])不\1")
INFLECTED = frozenset({"de", "fr", "es", "it", "pt", "nl", "sv"})
REVERSING = frozenset({"un", "de", "dis", "in", "im", "ir", "il", "non", "re", "mis"})


def read_words(text: str) -> frozenset[str]:
    """Take words apart that stand in one line."""
    return frozenset(text.split())


NEGATION = read_words(
    "not no non never none nobody nothing neither nor except unless without nicht kein keine "
    "keinen keinem keiner keines nie niemals ohne pas jamais aucun aucune sans nunca jamás sin "
    "ningún ninguna ninguno niet geen nooit zonder mai senza não nem sem inte aldrig utan не нет "
    "без 不 没 沒 无 無 未 非 别"
)
NAMES = read_words(
    "first second third monday tuesday wednesday thursday friday saturday sunday january february "
    "march april june july august september october november december"
)
NUMERALS = "2 two 3 three 4 four 5 five 6 six 7 seven 8 eight 9 nine 10 ten 11 eleven 12 twelve"
COUNTED = {name: name for name in NAMES} | {f"{n}s": n for n in NAMES if n.endswith("day")}
COUNTED |= {word: NUMERALS.split()[at - 1] for at, word in enumerate(NUMERALS.split()) if at % 2}
# "to" after these, or after a function word, is no direction
WANTING = read_words("want need have like able possible wish try going allowed required order")
TOWARDS = {
    "en": read_words("from to into onto on before after than until"),
    "de": read_words("von vom nach auf aus vor"),
    "fr": read_words("vers depuis avant après"),
    "es": read_words("desde hasta hacia a antes después"),
    "it": read_words("da dal dalla verso prima dopo"),
    "pt": read_words("desde até antes depois"),
    "nl": read_words("van naar voor na"),
    "sv": read_words("från till före efter"),
    "ru": read_words("из от до после"),
    "zh": read_words("从 從 到 至 往 向 转 轉 换 換 成"),
}
FUNCTION = {
    "en": read_words(
        "a an the is are am was were be been being do does did done can could may might will would "
        "shall should has had have i me my mine we us our ours you your yours he she it its they "
        "them their this that these those there here of in on at for by with from to into onto and "
        "or so if as s t ll ve re m d please kindly any some one ones just also too then upon "
        "about per such during while possible"
    ),
    "de": read_words(
        "der die das den dem des ein eine einen einem einer eines ist sind war waren bin sein wird "
        "werden kann können könnte darf dürfen soll sollte muss müssen habe hat haben ich mich mir "
        "mein meine meinen meinem meiner meines wir uns unser unsere sie ihr ihre ihren ihnen "
        "ihrem es er man in im ins am an für bei mit zu zum zur und oder von vom auf aus als denn "
        "bitte so auch noch nun dann dieser diese dieses diesen etwas einfach"
    ),
    "fr": read_words(
        "le la les l un une des du de d au aux à en dans sur pour par avec et ou est sont suis "
        "être ai a ont avoir peut peux puis pouvez pouvons dois doit je j me m mon ma mes nous "
        "notre nos vous votre vos il elle ils elles on se s son sa ses leur leurs ce cet cette ces "
        "c qu que y ne n t si svp vers"
    ),
    "es": read_words(
        "el la los las lo un una unos unas de del al a en por para con y o es son soy ser estar "
        "está están puedo puede pueden podemos debo debe yo me mi mis nosotros nuestro nuestra su "
        "sus tu tus usted ustedes se le les que este esta estos estas ese esa favor posible si"
    ),
    "it": read_words(
        "il lo la i gli le l un uno una di del della dei delle d a al alla in nel nella su per con "
        "e o è sono posso può possono devo io mi mio mia miei mie noi nostro vostro si che questo "
        "questa se ci da dal dalla"
    ),
    "pt": read_words(
        "o a os as um uma de do da dos das em no na nos nas por para com e ou é são posso pode "
        "podem devo eu me meu minha meus minhas nós nosso seu sua seus suas se que este esta isso"
    ),
    "nl": read_words(
        "de het een is zijn ben was kan kun kunnen mag moet ik mij me mijn wij we ons onze u uw je "
        "jouw jullie ze er in op aan voor met te en of om van bij dit dat deze die"
    ),
    "sv": read_words(
        "en ett den det de är var vara kan får ska skall måste har jag mig min mitt mina vi oss "
        "vår vårt våra du ni er din ditt dina sig i på av för med att och eller om till som"
    ),
    "ru": read_words(
        "я мне мой моя моё мои моего мою мы нам наш вы вам ваш ли и или в во на с со у"  # noqa: RUF001
    ),
    "zh": frozenset("的了吗嗎呢啊呀吧么麼我你您们們请請一个個是有可以能会會要想需"),
}
# In the order of QUESTIONS; the words of one kind are joined by "/".
QUESTIONS = ("", "what", "when", "where", "who", "why")
ASKED = {
    "en": "how what/which/whats when where who/whom/whose why",
    "de": "wie was/welche/welcher/welches/welchen wann wo/wohin wer/wem/wen warum/wieso/weshalb",
    "fr": "comment quel/quelle/quels/quelles/quoi quand où qui pourquoi",
    "es": "cómo/como qué/cuál/cuáles/cual cuándo/cuando dónde/donde quién/quien porqué",
    "it": "come cosa/quale/quali quando dove chi perché",
    "pt": "como qual/quais quando onde quem porquê",
    "nl": "hoe wat/welke wanneer waar wie waarom",
    "sv": "hur vad/vilken/vilka/vilket när var vem varför",
    "ru": "как что/какой/какая/какие когда где кто почему",
    "zh": "",
}
ASKING = {
    language: {
        word: kind
        for kind, words in zip(QUESTIONS, asked.split(), strict=False)
        for word in words.split("/")
    }
    for language, asked in ASKED.items()
}
LANGUAGES = {
    word: tuple(name for name in FUNCTION if word in FUNCTION[name] or word in ASKING[name])
    for language in FUNCTION
    for word in (*FUNCTION[language], *ASKING[language])
}
