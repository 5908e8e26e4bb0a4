"""The words and marks by which people around the world write questions and answers."""

# ruff: noqa: RUF001 - letters and signs of other alphabets are the point

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import NamedTuple

from trainer.corpus.readers.documents.blocks import NUMBER

# Question words and answer words that belong together; one letter counts only before a sign.
LABELS = (
    ("q|que|ques|question", "a|ans|answer"),
    ("q|question|faq", "a|r|réponse|reponse|resposta|respuesta|risposta|antwort|answer"),
    ("frage|f", "antwort|a"),
    ("pregunta|preg|p", "respuesta|resp|r"),
    ("pergunta|questão|p", "resposta|r"),
    ("question|q", "réponse|reponse|rép|r"),
    ("domanda|d", "risposta|r"),
    ("întrebare|întrebarea|i|î", "răspuns|răspunsul|raspuns|r"),
    ("soalan|s", "jawapan|j"),
    ("pertanyaan|tanya|soal|t|p", "jawaban|jawab|j"),
    ("tanong|t", "sagot|s"),
    ("swali|s", "jibu|j"),
    ("vraag|v", "antwoord|a"),
    ("fråga|fraga|f", "svar|sv|s"),
    ("spørsmål|spørgsmål|sporgsmal|spm|sp", "svar|sv|s|a"),
    ("spurning|sp", "svar|sv"),
    ("kysymys|k", "vastaus|v"),
    ("küsimus|k", "vastus|v"),
    ("jautājums|j", "atbilde|a"),
    ("klausimas|k", "atsakymas|a"),
    ("pytanie|pyt|p", "odpowiedź|odpowiedz|odp|o"),
    ("otázka|ot|o", "odpověď|odpoveď|odp|o"),
    ("kérdés|k", "válasz|v"),
    ("pitanje|vprašanje|p|v", "odgovor|o"),
    ("soru|s", "cevap|yanıt|c|y"),
    ("sual", "cavab"),
    ("câu hỏi|hỏi|câu|h", "trả lời|đáp|tl|đ|t"),
    ("galdera|g", "erantzuna|e"),
    ("cwestiwn|c", "ateb|a"),
    ("ceist|c", "freagra|f"),
    ("вопрос|в", "ответ|о"),
    ("питання|запитання|п|з", "відповідь|в"),
    ("пытанне", "адказ"),
    ("въпрос|в", "отговор|о"),
    ("питање|прашање|п", "одговор|о"),
    ("сұрақ", "жауап"),
    ("асуулт", "хариулт"),
    ("ερώτηση|ερ|ε", "απάντηση|απ|α"),
    ("հարց", "պատասխան"),
    ("კითხვა", "პასუხი"),
    ("שאלה|ש", "תשובה|ת"),
    ("السؤال|سؤال|س", "الجواب|جواب|الإجابة|إجابة|اجابة|ج"),
    ("پرسش|سؤال|سوال|س", "پاسخ|جواب|ج|پ"),
    ("प्रश्न|सवाल|प्र", "उत्तर|जवाब|उ"),
    ("প্রশ্ন", "উত্তর"),
    ("ਸਵਾਲ|ਪ੍ਰਸ਼ਨ", "ਜਵਾਬ|ਉੱਤਰ"),
    ("પ્રશ્ન|સવાલ", "ઉત્તર|જવાબ"),
    ("கேள்வி", "பதில்"),
    ("ప్రశ్న", "సమాధానం|జవాబు"),
    ("ಪ್ರಶ್ನೆ", "ಉತ್ತರ"),
    ("ചോദ്യം", "ഉത്തരം"),
    ("ප්‍රශ්නය|ප්රශ්නය", "පිළිතුර"),
    ("คำถาม|ถาม|ถ", "คำตอบ|ตอบ|ต"),
    ("ຄຳຖາມ", "ຄຳຕອບ"),
    ("សំណួរ", "ចម្លើយ"),
    ("မေးခွန်း|မေး", "အဖြေ|ဖြေ"),
    ("ጥያቄ", "መልስ"),
    ("问题|提问|问|q|question", "答案|回答|答复|解答|答|a|answer"),
    ("問題|提問|問|q|question", "答案|回答|答覆|解答|答|a|answer"),
    ("質問|問い|問|q", "回答|答え|答|a"),
    ("질문|문|q", "답변|대답|답|a"),
    ("human|user|customer|client|kunde|prompt", "assistant|bot|agent|support|response|gpt"),
)
_QUESTION_ALONE = "q|question|frage|pregunta|pergunta|domanda|问|問|質問|질문|вопрос|soalan|faq"

FAQ_WORDS = re.compile(
    r"(?i)\bfaqs?\b|f\.a\.q|q ?& ?a\b|frequently.asked|(?:common|popular|general) questions"
    r"|questions (?:and|&) answers|questions?.(?:et|/).réponses?|fragen und antworten"
    r"|(?:häufig|oft)\w* (?:gestellte )?fragen|foire aux questions|questions fréquentes"
    r"|preguntas (?:más )?frecuentes|perguntas (?:mais )?fre|domande frequenti|veelgestelde vragen"
    r"|vanliga frågor|ofte stillede|ofte stilte|usein kysyt|często zadawane|najczęściej"
    r"|často kladené|gyakori kérdések|gyakran ismételt|întrebări frecvente|sıkça sorulan"
    r"|sık sorulan|soalan lazim|pertanyaan umum|câu hỏi thường|част\w+ вопрос|вопрос\w* и ответ"
    r"|часто задаваемые|част\w+ (?:за)?питання|поширені|често задавани|συχνές ερωτήσεις"
    r"|שאלות נפוצות|الأسئلة الشائعة|الأسئلة المتكررة|سوالات متداول|अक्सर पूछे|সাধারণ প্রশ্ন"
    r"|คำถามที่พบบ่อย|常见问题|常見問題|常见问答|常見問答|よくある(?:ご)?質問|자주 묻는|자주하는"
)

_MARKS = "?？؟⁇⁈‽⸮፧꘏"
_CLOSERS = "\"'”’»«“„›)]}）］】」』*_~`.…!！ \t\xa0\u200b\u200e\u200f"
_MARK_INSIDE = re.compile(r"[?？؟⁇⁈‽⸮፧꘏](?=[\s\"'”’»)\]）」』]|$)")
_ASIDE = re.compile(r"\s*[(（\[][^()（）\[\]]{1,60}[)）\]][\s.]*$")
_NO_MARK = re.compile(  # where questions need no mark
    r"(?:か|かな|でしょう|の)[。．]?$|(?:ですか|ますか|까|나요|가요|은지요|는지|래요|吗|嗎|呢)[。.]?$"
    r"|(?:ไหม|หรือไม่|หรือเปล่า|อย่างไร|ยังไง|ได้บ้าง|อะไร|อะไรบ้าง|เท่าไร|เท่าไหร่|ที่ไหน|เมื่อไร|เมื่อใด|ใด|ทำไม)"
    r"(?:ครับ|คะ|ค่ะ)?$|[\u037e՞]"
)
_GREEK = re.compile(r"[\u0370-\u03ff]{2}")
_LONGEST_QUESTION = 1000


@lru_cache(1 << 16)
def is_question(text: str, *, short: bool = False) -> bool:
    """Tell whether a text asks; a `short` one (a heading) may hold its mark anywhere."""
    text = text.strip()
    if not text or len(text) > _LONGEST_QUESTION:
        return False
    if short and _MARK_INSIDE.search(text):
        return True
    bare = _ASIDE.sub("", text[-300:]).rstrip(_CLOSERS)
    if bare.endswith(tuple(_MARKS)) or (len(text) <= 300 and text.startswith("¿")):
        return True
    if bare.endswith(";") and _GREEK.search(bare[-40:]):
        return True
    return len(text) <= 200 and bool(_NO_MARK.search(bare)) and len(bare) > 3


def is_spoken(text: str) -> bool:
    """Tell whether a text opens as direct speech does in a story."""
    return text.lstrip()[:1] in set("\"'“„«‚‘「『—–-")


class Labels(NamedTuple):
    """How one language announces a question, an answer, and an answer in mid-line."""

    question: re.Pattern[str]
    answer: re.Pattern[str]
    answer_inside: re.Pattern[str]


_OPENERS = r"[\[【〔（(<*#\"“«\ ]{0,4}(?:\d{1,4}\ ?[.)．、]\ ?)?"


def guess_labels(texts: Iterable[str]) -> list[Labels]:
    """Choose the languages whose marks begin several of the texts, the most frequent first."""
    found: Counter[str] = Counter()
    for text in texts:
        if mark := _any_label().match(text):
            found[mark[1].casefold()] += 1
            if inside := _any_label_inside().search(text, mark.end()):
                found[inside[1].casefold()] += 1
    counts = [
        (min(sum(found[w] for w in ask.split("|")), sum(found[w] for w in reply.split("|"))), n)
        for n, (ask, reply) in enumerate(LABELS)
    ]
    best = sorted((count for count in counts if count[0] >= 2), key=lambda c: (-c[0], c[1]))[:4]
    labels = [_compile_labels(*LABELS[number]) for _, number in best]
    if sum(found[word] for word in _QUESTION_ALONE.split("|")) >= 2:
        labels.append(_compile_labels(_QUESTION_ALONE, ""))
    return labels


@cache
def _any_label() -> re.Pattern[str]:
    return re.compile(rf"{_OPENERS}({_all_words()})(?![^\W\d_])", re.I)


@cache
def _any_label_inside() -> re.Pattern[str]:
    return re.compile(
        rf"(?<=[\s?？؟.!。])[\[【(（]?({_all_words()})[\])】）]?\s?\d{{0,4}}[:：]", re.I
    )


@cache
def _all_words() -> str:
    words = {word.casefold() for pair in LABELS for words in pair for word in words.split("|")}
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


@cache
def _compile_labels(ask: str, reply: str) -> Labels:
    inside = "|".join(re.escape(word) for word in reply.split("|")) or "(?!)"
    return Labels(
        _compile_label(ask),
        _compile_label(reply),
        re.compile(
            rf"(?<=[\s?？؟!。.])[\[【(（*]{{0,2}}(?:{inside})[\])】）]?\s?\d{{0,4}}\s?[:：]\**\s*",
            re.I,
        ),
    )


def _compile_label(words: str) -> re.Pattern[str]:
    letters = "|".join(w for w in words.split("|") if len(w) == 1) or "(?!)"
    longer = "|".join(
        re.escape(w) for w in sorted(words.split("|"), key=len, reverse=True) if len(w) > 1
    )
    either = f"(?:{longer or '(?!)'}|{letters})"
    number = r"(?:(?:no|nr|n°|№|\#)?\.?\ ?\d{1,4}(?:\.\d{1,3})?)"
    return re.compile(
        rf"""{_OPENERS}
        (?:
            {either}[\ \xa0]?\.?[\ \xa0]?{number}?[\ \xa0]?
                (?:[\]】〕）)>*]{{1,3}}\ ?[:：.．、\-–—]?|[:：.．、\-–—=|](?!\w-))\**
            | (?:{longer or "(?!)"})\ ?{number}?\ *(?:[:：.]\ *)?$     # alone on its line
            | (?:{letters})\d{{1,4}}\ (?=\S)                 # Q1 What
        )\s*""",
        re.X | re.I,
    )


# What pages ask of their readers, in whole short paragraphs.
_BOILERPLATE = re.compile(
    r"""(?ix)^\W*(?:
      (?:was|did|is)\ this\ (?:answer|article|page|information|content)?\ ?
        (?:helpful|useful|answer\ your\ question)\W.*
    | (?:did\ you\ find|have\ you\ found)\ (?:this|what|it)\b.*
    | how\ (?:helpful|useful)\ was\ this.* | rate\ this\ (?:page|article|answer).*
    | (?:yes|no)\W+(?:yes|no) | (?:ja|nein)\W+(?:ja|nein) | (?:oui|non)\W+(?:oui|non)
    | \d+\ (?:out\ )?of\ \d+\ (?:people\ )?found\ this\ helpful.*
    | war\ (?:diese|dieser|das|die)\b.{0,40}(?:hilfreich|nützlich).* | hat\ ihnen\ .{0,40}geholfen.*
    | (?:cette|cet|ces)\ .{0,40}(?:utile|aidé).* | avez-vous\ trouvé\ .{0,40}(?:utile|réponse).*
    | ¿?(?:te|le|os)?\ ?(?:fue|ha\ sido|resultó|es)\ (?:útil|de\ ayuda).* | ¿?.{0,25}fue\ útil.*
    | (?:esta?|este)\ .{0,30}(?:foi\ útil|ajudou).* | questa?\ .{0,30}(?:utile|aiutato).*
    | was\ dit\ .{0,30}(?:nuttig|behulpzaam).* | (?:var|hjälpte)\ .{0,25}(?:till\ hjälp|hjelp).*
    | .{0,30}(?:有帮助吗|有幫助嗎|对您有帮助|對您有幫助).*
    | .{0,30}(?:役に立ちましたか|参考になりましたか).*
    | .{0,30}도움이\ 되었?.* | .{0,40}(?:полезн|помог)\w*\W* | .{0,30}(?:مفيد[اة]?|هل\ كان).{0,20}؟
    | (?:back\ to|return\ to|zurück\ zu[mr]?|zum)\ (?:the\ )?(?:top|seitenanfang|anfang|contents)\W*
    | nach\ oben\W* | (?:retour\ )?(?:en\ )?haut(?:\ de\ page)?\W* | volver\ arriba\W*
    | voltar\ ao\ topo\W* | torna\ su\W* | terug\ naar\ boven\W* | 返回(?:顶部|頂部)\W*
    | (?:read|show|view|learn)\ (?:more|less)\W* | (?:expand|collapse|open|close)\ all\W*
    | (?:copy|share|print|edit)(?:\ (?:link|this\ page|to\ clipboard))?\W*
    | skip\ to\ (?:main\ )?content\W* | (?:accept|reject)\ (?:all\ )?cookies.*
    | (?:we|this\ (?:site|website))\ uses?\ cookies\b.* | diese\ website\ verwendet\ cookies.*
    | ©.* | \(c\)\ \d{4}.* | copyright\b.{0,80}
    | all\ rights\ reserved.* | alle\ rechte\ vorbehalten.*
    | powered\ by\ .{1,40} | follow\ us(?:\ on)?\W* | last\ (?:updated|modified)\b.{0,40}
    )$"""
)
_ENDINGS = re.compile(
    r"""(?ix)^\W*(?:
      (?:related|recommended|similar|popular|recent)\ (?:articles?|topics?|posts?|questions?
        |links?|content|reading|pages?|faqs?)
    | see\ also | you\ (?:may|might)\ also\ (?:like|be\ interested.*) | further\ (?:reading|links)
    | (?:still|do\ you|have)?\ ?(?:have|got|need)?\ ?(?:any\ )?(?:more|other|further)\ questions
    | (?:still\ )?(?:have|got)\ (?:a\ |any\ |more\ )?(?:other\ )?questions?
    | (?:still\ )?need\ (?:more\ |further\ )?(?:help|assistance|support)
    | (?:didn.t|can.t|couldn.t|cannot|did\ not)\ find\ (?:what\ you|your|an\ answer|the\ answer).*
    | lire\ aussi | voir\ aussi | articles\ (?:similaires|liés|connexes)
    | siehe\ auch | verwandte\ (?:artikel|themen|fragen) | weitere\ fragen | noch\ fragen
    | (?:ihre\ frage\ (?:war\ )?nicht\ dabei|keine\ antwort\ gefunden).*
    | vous\ avez\ (?:d.autres\ questions|encore\ des\ questions|une\ autre\ question)
    | véase\ también | ver\ también | artículos\ relacionados
    | ¿?(?:aún\ )?tienes?\ (?:más|otras)\ (?:preguntas|dudas)
    | veja\ também | artigos\ relacionados | vedi\ anche | articoli\ correlati
    | zie\ ook | gerelateerde\ artikelen | se\ även | relaterade\ artiklar | se\ også
    | zobacz\ (?:też|także|również) | см(?:отрите|\.)\ также | похожие\ (?:статьи|вопросы)
    | 相关(?:文章|问题|阅读|链接) | 相關(?:文章|問題|閱讀|連結) | 関連(?:記事|質問|リンク|ページ)
    | 관련\ ?(?:문서|글|질문|기사) | مقالات\ ذات\ صلة | انظر\ أيضا
    | leave\ a\ (?:reply|comment) | comments? | share\ this(?:\ (?:article|page|post))?
    )[\W\d]*$"""
)


def is_boilerplate(text: str) -> bool:
    """Tell whether a short paragraph belongs to the page, not to what it says."""
    return len(text) <= 200 and bool(_BOILERPLATE.match(text))


def is_ending(text: str) -> bool:
    """Tell whether what follows is no longer the answer: "Related articles", "More questions?"."""
    return len(text) <= 100 and bool(_ENDINGS.match(text))


def strip_number(text: str) -> str:
    """Take off the number a question stands under."""
    found = NUMBER.match(text)
    return (text[found.end() :].strip() or text) if found else text


def starts_with_label(text: str) -> bool:
    """Tell whether a line may begin with a mark such as Q: or Antwort 3."""
    return bool(_LABEL_SIGN.search(text[:30])) and bool(_any_label().match(text))


_LABEL_SIGN = re.compile(r"[:：.)．、\]】）]")
