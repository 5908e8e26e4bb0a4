"""What people call their columns, and how they ask, in the languages they write.

The lists hold what spreadsheets, help desks and public data sets write; a name is first reduced by
`reduce_name`, so case, accents, camelCase and underscores need no entries of their own.
"""

# ruff: noqa: RUF001 - letters of other alphabets are the point

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache

_NAMES = {
    "question": """question questions prompt prompts instruction instructions query queries inquiry
        enquiry utterance utterances phrases patterns training_phrases input inputs ask faq faqs,
        frage fragen anfrage, question demande, pregunta preguntas consulta, pergunta perguntas
        questão questões dúvida, domanda domande quesito, vraag vragen, fråga frågor, spørgsmål,
        spørsmål, kysymys kysymykset, pytanie pytania, otázka otázky dotaz, kérdés kérdések,
        întrebare întrebări întrebarea, въпрос въпроси, вопрос вопросы, питання запитання, пытанне,
        pitanje pitanja питање питања, vprašanje, прашање, klausimas, jautājums, küsimus küsimused,
        spurning, pyetje pyetja, galdera, ceist, cwestiwn, mistoqsija, ερώτηση ερωτήσεις ερώτημα,
        soru sorular, sual, savol, сұрақ, асуулт, հարց, კითხვა შეკითხვა, سؤال أسئلة الأسئلة
        استفسار, שאלה שאלות, پرسش پرسش‌ها سوالات, प्रश्न सवाल, প্রশ্ন, ਸਵਾਲ, પ્રશ્ન, கேள்வி,
        ప్రశ్న, ಪ್ರಶ್ನೆ, ചോദ്യം, ප්‍රශ්නය ප්‍රශ්න, pertanyaan soalan, tanong katanungan, câu_hỏi
        hỏi, คำถาม, ຄຳຖາມ, សំណួរ, မေးခွန်း, 问题 問題 提问 提問 问句 問句 标准问 標準問 问 問 题目
        題目 问法 問法, 質問 ご質問 設問 問い 質疑 お問い合わせ, 질문 문의 물음 질의, swali
        maswali, ጥያቄ, tambaya, ìbéèrè, umbuzo, vrae, anliegen
        user_says user_asks customer_says customer_asks nutzer_sagt kunde_sagt kunde_fragt""",
    "answer": """answer answers response responses completion completions output outputs reply
        replies solution solutions resolution target targets chosen assistant, antwort antworten
        lösung, réponse réponses, respuesta respuestas solución, resposta respostas solução,
        risposta risposte, antwoord antwoorden, svar svaret lösning løsning, vastaus vastaukset,
        odpowiedź odpowiedzi, odpověď odpovědi odpoveď odpovede, válasz válaszok, răspuns
        răspunsuri răspunsul, отговор отговори, ответ ответы решение, відповідь відповіді, адказ,
        odgovor odgovori одговор, atsakymas, atbilde, vastus vastused, svör, përgjigje përgjigja,
        erantzuna, freagra, ateb, tweġiba, resposta, απάντηση απαντήσεις, cevap cevaplar yanıt
        yanıtlar, cavab, javob, жауап, хариулт, պատասխան, პასუხი, جواب إجابة الإجابة الجواب أجوبة
        رد الرد, תשובה תשובות מענה, پاسخ جواب‌ها, उत्तर जवाब, উত্তর, ਜਵਾਬ ਉੱਤਰ, જવાબ, பதில் விடை,
        సమాధానం జవాబు, ಉತ್ತರ, ഉത്തരം, පිළිතුර පිළිතුරු, jawaban jawapan, sagot kasagutan, trả_lời
        câu_trả_lời đáp_án đáp, คำตอบ ตอบ, ຄຳຕອບ, ចម្លើយ, အဖြေ, 答案 回答 答复 答覆 解答 回复 回覆
        答, 答え ご回答 返答 アンサー, 답변 대답 응답 정답 답, jibu majibu, መልስ, amsa, ìdáhùn,
        impendulo, auskunft,
        bot_says agent_says bot_replies bot_reply bot_response bot_sagt bot_dice""",
    "topic": """topic topics category categories theme themes tag tags section sections domain area
        department group type kind chapter, thema themen kategorie rubrik bereich typ abteilung,
        thème sujet catégorie rubrique, tema temas categoría asunto sección tipo, tópico categoria
        assunto seção, argomento sezione rubrica, onderwerp categorie rubriek, ämne kategori
        avdelning, emne, aihe kategoria luokka, temat kategoria dział, téma oblast kategorie,
        témakör kategória, subiect secțiune, тема категория раздел рубрика, категорія розділ,
        kategorija tēma teema kategooria, θέμα κατηγορία ενότητα, konu kategori bölüm, mövzu mavzu,
        موضوع الموضوع فئة الفئة تصنيف التصنيف قسم القسم, נושא קטגוריה, دسته دسته‌بندی بخش, विषय
        श्रेणी वर्ग, বিষয় বিভাগ, زمرہ, தலைப்பு வகை, అంశం, ವಿಷಯ, വിഷയം, මාතෘකාව ප්‍රවර්ගය, topik
        jenis, paksa, chủ_đề danh_mục thể_loại chuyên_mục, หัวข้อ หมวด หมวดหมู่ ประเภท, 主题 主題
        类别 類別 分类 分類 类型 類型 话题 領域 栏目, トピック カテゴリ カテゴリー 種別 ジャンル
        区分, 주제 카테고리 분류 유형 구분, mada kategoria aina, ርዕስ
        área ámbito obszar область lĩnh_vực bidang 분야 分野 领域 תחום مجال क्षेत्र""",
    "wording": """alternative alternatives alternate alt variant variants variation variations
        paraphrase paraphrases paraphrased synonym synonyms similar rephrase rephrased reworded
        rewording wording wordings reformulation reformulations other utterances phrases patterns
        training_phrases, varianten formulierung formulierungen umformulierung ähnlich ähnliche
        andere, variante variantes reformulations autre autres similaires, alternativa alternativas
        similares otra otras, outra outras variações, altre simili, varianten andere, formulering
        formuleringar andra liknande andre lignende, muut vaihtoehtoiset, inne podobne warianty,
        jiné podobné varianty, hasonló más változatok, alte similare, варианты вариант похожие
        другие формулировки, варіанти схожі інші, άλλες παραλλαγές, benzer diğer, مرادفات مشابهة
        أخرى صيغ, ניסוחים דומות נוספות, مشابه دیگر, समान अन्य वैकल्पिक, serupa lain alternatif,
        tương_tự biến_thể, คล้าย อื่น, 相似 类似 類似 同义 同義 扩展 擴展 变体 變體, 言い換え 別の
        別表現 その他, 유사 동의 다른, nyingine mbadala""",
    "label": """label labels sentiment intent intents class classes polarity emotion stars rating
        category_name, klasse etikett stimmung absicht, étiquette sentiment, etiqueta sentimiento
        intención clase, sentimento intenção classe rótulo, etichetta classe, label
        sentimentklasse, etikett känsla klass, tunniste, etykieta klasa, štítek třída, címke
        osztály, etichetă, метка класс тональность интент, мітка клас, ετικέτα, etiket duygu sınıf
        niyet, التسمية المشاعر النية, תווית סנטימנט כוונה, برچسب احساس, लेबल भावना, লেবেল, sentimen
        niat, nhãn cảm_xúc ý_định, ป้ายกำกับ อารมณ์, 标签 標籤 情感 意图 意圖, ラベル 感情 意図
        インテント, 레이블 라벨 감정 의도, lebo hisia""",
    "context": """context contexts passage passages paragraph entity entities product products
        hotel restaurant store shop brand model device item service place, kontext produkt gerät,
        contexte produit, contexto producto, produto, contesto prodotto, tuote, termék, produs,
        контекст продукт товар, προϊόν, ürün bağlam, السياق المنتج, הקשר מוצר, محصول زمینه, संदर्भ
        उत्पाद, konteks produk, ngữ_cảnh sản_phẩm, บริบท สินค้า, 上下文 产品 產品 商品, 文脈 製品,
        문맥 제품 상품, muktadha bidhaa""",
    "aside": """id ids uid uuid guid idx index nr num number numero url urls uri link links href
        date datetime timestamp created updated modified published count length len tokens start
        end offset score votes upvotes downvotes embedding vector image images by author lang
        language locale status is has answered answerer option options choice choices distractor
        related follow followup rejected keyword keywords, nummer datum sprache schlagworte, numéro
        langue lien auteur, número fecha idioma enlace autor, língua ligação, lingua collegamento
        autore, taal, språk länk sprog lenke, kieli linkki, język numer autor, jazyk odkaz číslo,
        nyelv szám dátum, limbă număr, дата номер ссылка язык автор ключевые, мова посилання,
        ημερομηνία γλώσσα αριθμός, tarih dil numara bağlantı, رقم الرقم تاريخ التاريخ رابط الرابط
        لغة اللغة, תאריך מספר קישור שפה, شماره تاریخ پیوند زبان, संख्या क्रमांक दिनांक लिंक भाषा,
        nomor tautan tanggal bahasa tarikh pautan, ngày liên_kết ngôn_ngữ số_thứ_tự, ลำดับ วันที่
        ลิงก์ ภาษา, 编号 編號 序号 序號 日期 时间 時間 链接 連結 語言 语言 关键词 關鍵詞, 番号 日付
        日時 リンク 言語 作成日 更新日 キーワード, 번호 날짜 일자 링크 언어 작성자, tarehe kiungo
        lugha nambari""",
}
_LOOSE = {  # what says something only where nothing in the name says more
    "question": """text texts sentence title heading headline subject source src review comment
        message tweet post term word name document article dialogue dialog transcript problem issue
        request user human customer client content statement phrase example context passage, titel
        satz, titre phrase texte, título texto frase, titolo testo, zin tekst, text rubrik,
        otsikko, tytuł tekst, název věta, cím szöveg, titlu, текст предложение заголовок название,
        назва речення, τίτλος κείμενο, metin cümle başlık, نص النص جملة عنوان العنوان, טקסט משפט
        כותרת, متن جمله عنوان, पाठ वाक्य शीर्षक, teks kalimat ayat judul tajuk, văn_bản tiêu_đề,
        ข้อความ ชื่อเรื่อง, 文本 句子 标题 標題 评论 評論, 文章 文 件名 タイトル テキスト, 텍스트
        문장 제목 리뷰, maandishi sentensi kichwa""",
    "answer": """body content contents description descriptions details text texts definition
        meaning summary highlights abstract explanation translation tgt value bot gpt agent
        resolution, texte texto testo tekst текст metin szöveg teks نص النص טקסט 文本 テキスト
        텍스트 ข้อความ, beschreibung inhalt erklärung zusammenfassung übersetzung, contenu résumé
        traduction, contenido descripción resumen traducción, conteúdo descrição resumo tradução,
        contenuto descrizione riassunto, inhoud beschrijving, innehåll beskrivning, sisältö kuvaus,
        opis treść, popis obsah, leírás tartalom, descriere conținut, описание содержание, опис
        зміст, περιγραφή περιεχόμενο, açıklama içerik, المحتوى الوصف, תוכן תיאור, توضیحات محتوا,
        विवरण, isi deskripsi penjelasan kandungan keterangan, nội_dung mô_tả, เนื้อหา รายละเอียด,
        内容 內容 描述 说明 說明, 説明 本文 概要, 내용 설명 본문, maelezo yaliyomo""",
    "aside": """no source sources reference references user page pages website web email phone file
        filename path row line note notes remark remarks country region city time version split
        updated_by last_update name column, quelle seite bemerkung hinweis, fuente página, fonte,
        bron, källa kilde lähde, źródło, zdroj, forrás, sursă, источник, джерело, πηγή, kaynak,
        مصدر المصدر, מקור, منبع, स्रोत, sumber, nguồn, แหล่งที่มา, 来源 來源 备注 備註, 出典 備考,
        출처 비고, chanzo""",
}
_LANGUAGES = """en english eng englisch inglés anglais 英文 英语 英語 영어 de german deutsch ger
    deu fr french français fra es spanish español spa pt portuguese português por br it italian
    italiano nl dutch nederlands sv swedish svenska da danish dansk no nb norwegian norsk fi
    finnish suomi pl polish polski cs czech česky sk slovak slovenčina hu hungarian magyar ro
    romanian română bg bulgarian български ru russian русский rus uk ukrainian українська el greek
    ελληνικά tr turkish türkçe ar arabic عربي العربية عربى he hebrew עברית fa persian farsi فارسی
    hi hindi हिन्दी हिंदी bn bengali বাংলা ur urdu اردو id indonesian ms malay melayu vi vietnamese
    tiếng_việt th thai ไทย zh chinese 中文 汉语 cn tw hans hant chi zho cmn ja japanese 日本語 日文
    jp jpn ko korean 한국어 kr kor sw swahili kiswahili si sinhala ta tamil te telugu ml kn mr gu
    pa ne ca hr sr sl mk lt lv et is sq eu gl ka hy az kk uz mn af am fil tl"""
_PLAIN = "text texts full final approved correct best accepted official standard main body content"
_POOR = "html raw markdown md xml json tokenized"
_SPARE = """other others autre autres andere otra otras otros outra outras altra altre altri muut
    inne jiné más alte другие інші άλλες diğer أخرى נוספות دیگر अन्य lain khác อื่น 其他 その他
    다른 기타 second secondary previous old draft incorrect wrong bad short"""
# headers of one letter: Q and A, F and A, P and R, ...
LETTERS = ("qa", "fa", "pr", "dr", "va", "sc", "sv", "ob", "во", "问答", "問答", "سج", "שת")

_ASKING = """what how why when where who whom whose which can could do does did is are am was were
    will would should shall may might have has, wie wieso warum wann wo wer wen welche welcher
    welches weshalb wohin woher womit wofür kann können muss müssen darf ist sind gibt hat was,
    comment pourquoi quand où qui que qu quel quelle quels quelles combien est-ce puis-je peut-on
    dois-je, qué cómo cuándo dónde quién cuál cuáles cuánto cuánta puedo, como qual quais onde quem
    quanto posso, come cosa dove chi quale quali perché, hoe wat waarom wanneer waar wie welke moet
    mag, hur vad varför när var vem vilka vilken får, hvordan hvad hvorfor hvornår hvor hvem hvilke
    hva, miten mikä mitä miksi milloin missä kuka kuinka voinko onko mistä, jak co dlaczego kiedy
    gdzie kto czy jaki jaka jakie ile, proč kdy kde kdo kolik jaký jaká jaké mohu co, ako čo prečo
    kedy koľko môžem, hogyan miért mikor hol ki mennyi melyik milyen lehet, cum ce când unde cine
    care cât pot, как какво защо кога къде кой мога, что почему когда где кто какой какая какие
    сколько можно зачем нужно, як що чому коли де хто який яка які скільки чи, kako što šta zašto
    gde gdje, πώς τι γιατί πότε πού ποιος ποια ποιο πόσο μπορώ, nasıl neden hangi kim nerede kaç,
    ما ماذا كيف لماذا متى أين هل كم, מה איך למה מתי איפה מי האם כמה מדוע, چگونه چه چرا کجا آیا چطور
    چقدر, क्या कैसे क्यों कब कहाँ कौन, কি কী কিভাবে কীভাবে কেন কখন কোথায় কে, کیا کیسے کیوں کب کہاں
    کون, apa apakah bagaimana bagaimanakah mengapa kenapa kapan bilakah siapa berapa dimana adakah
    bolehkah, nini vipi lini wapi nani ninawezaje, ano paano bakit kailan saan, làm tại khi"""
_ASKING_INSIDE = """什么 什麼 如何 怎么 怎麼 怎样 怎樣 吗 嗎 是否 哪 多少 どう なぜ いつ どこ 何 誰
    ですか ますか か。 나요 까요 인가요 무엇 어떻게 왜 언제 어디 อะไร อย่างไร ทำไม เมื่อไหร่ ที่ไหน
    ไหม หรือไม่ ใคร là_gì thế_nào tại_sao bao_nhiêu bao_lâu ở_đâu මොකක්ද කොහොමද ඇයි කවදා කෙසේද కాదా
    ఎలా ఏమిటి எப்படி என்ன"""
_MARKS = "?？؟⁇⁈⁉‽︖﹖；՞፧꘏⳺"
_FOLDED = str.maketrans("ıłøđəیکىةھہ", "ilodeيكيههه")  # what NFKD leaves apart
_LESS = {"input": 12, "inputs": 12, "utterances": 15, "phrases": 15, "patterns": 15} | {
    "training phrases": 15,
    "target": 5,
    "faq": 30,
    "faqs": 30,
    "ask": 10,
}
_ALPHABETS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "GEORGIAN")
_CAMEL = re.compile(r"(?<=[a-zà-ÿ])(?=[A-Z])|(?<=[^\W\d_])(?=\d)")


@lru_cache(maxsize=20_000)
def reduce_name(name: str) -> str:
    """Reduce the name of a column to lower-case words without accents, a space between them."""
    text = unicodedata.normalize("NFKD", _CAMEL.sub(" ", name[:200])).casefold()
    kept = (
        " " if unicodedata.category(char)[0] in "PSZ" or char in "\t\r\n" else char
        for char in text
        if not "\u0300" <= char <= "\u036f" and not "\u064b" <= char <= "\u0655"
        if unicodedata.category(char) != "Cf" and char not in "\u0640"
    )
    words = unicodedata.normalize("NFC", "".join(kept)).translate(_FOLDED)
    return " ".join(words.split())


def _words(text: str) -> set[str]:
    return {reduce_name(word.replace("_", " ")) for word in text.replace(",", " ").split()}


@cache
def _roles(loose: bool = False) -> dict[str, tuple[str, ...]]:
    roles: dict[str, tuple[str, ...]] = {}
    for role, text in (_LOOSE if loose else _NAMES).items():
        for word in _words(text):
            roles[word] = (*roles.get(word, ()), role)
    return roles


@cache
def _set(text: str) -> frozenset[str]:
    return frozenset(_words(text))


@dataclass(frozen=True)
class Name:
    """What the name of a column says: how strongly (to 100) it names each role, and more."""

    strengths: dict[str, int] = field(default_factory=dict)
    exact: bool = False
    language: str = ""
    number: int = 1

    def says(self, role: str) -> int:
        """How strongly the name names this role; 0 where it does not."""
        return self.strengths.get(role, 0)


@lru_cache(maxsize=20_000)
def read_name(name: str) -> Name:
    """Tell what a column holds by its name alone."""
    tokens = reduce_name(name).split()
    digits = [token for token in tokens if token.isdigit() and len(token) < 4]
    number = int(digits[-1]) if digits else 1
    tokens = [token for token in tokens if not token.isdigit()][:12]
    whole = " ".join(tokens)
    if whole in _set(_LANGUAGES) or whole in _set(_SPARE):
        return Name(language=whole if whole in _set(_LANGUAGES) else "")
    if roles := _roles().get(whole):
        strength = 100 - _LESS.get(whole, 0)
        return Name(_loose(tokens) | dict.fromkeys(roles, strength), True, number=number)
    said, used = _find_words(tokens)
    rest = [token for token in tokens if token not in used]
    language = next((token for token in reversed(rest) if token in _set(_LANGUAGES)), "")
    asked = said.keys() & {"question", "answer"}
    last_aside = tokens[-1:] and "aside" in _roles(loose=True).get(tokens[-1], ())
    if not said:
        loose = _loose(tokens)
        known = loose or all(token in _set(_LANGUAGES) for token in tokens)  # "it" is a word, too
        return Name(loose, bool(loose) and len(tokens) == 1, language if known else "", number)
    if "aside" in said or (asked and last_aside and not language):
        return Name({"aside": 90}, language=language, number=number)
    if "wording" in said and said.keys() != {"wording", "answer"}:
        return Name({"wording": 80}, number=number)
    if "answer" in said and "wording" in said:
        return Name({"answer": 40}, language=language, number=number)
    if len(said) > 1 and (leading := said.keys() & {"topic", "label"}):
        return Name(dict.fromkeys(leading, 80), number=number)
    strength = max(60, 82 - 3 * len(rest))
    strength += 4 * any(token in _set(_PLAIN) for token in rest)
    strength -= 20 * any(token in _set(_POOR) for token in rest)
    strength -= 40 * any(token in _set(_SPARE) for token in rest)
    if len(asked) == 2:  # "answer to the question", 问题答案
        said.pop("question")
    return Name({role: strength - low for role, low in said.items()}, False, language, number)


def _find_words(tokens: list[str]) -> tuple[dict[str, int], set[str]]:
    """Which roles the words in a name speak of, less how surely, and the tokens that do."""
    said: dict[str, int] = {}
    used: set[str] = set()
    for size in (3, 2, 1):
        for start in range(len(tokens) - size + 1):
            phrase = tokens[start : start + size]
            if used.isdisjoint(phrase) and (roles := _roles().get(" ".join(phrase))):
                said |= dict.fromkeys(roles, 0)
                used |= set(phrase)
    for token in tokens:
        if token in used or token in _set(_LANGUAGES) or token in _roles(loose=True):
            continue
        for part in _parts(token):
            for role in _roles()[part]:
                said.setdefault(role, 8)
                used.add(token)
    return said, used


def _parts(token: str) -> Iterator[str]:
    """The longest known words inside a compound or an inflected word: Kundenfrage, 问题类型."""
    alphabetic = unicodedata.name(token[0], "").startswith(_ALPHABETS)
    length, taken = min(len(token), 40), 0
    for start in range(length):
        for end in range(length, max(start + 1, taken), -1):
            edge = (start == 0 and end >= 4) or (end == length and end - start >= 5)
            if (edge or not alphabetic) and token[start:end] in _roles():
                yield token[start:end]
                taken = end
                break


def _loose(tokens: list[str]) -> dict[str, int]:
    roles = _roles(loose=True)
    if not tokens or any(token not in roles and token not in _set(_PLAIN) for token in tokens):
        return {}
    found = dict.fromkeys(("question", "answer", "aside"), 0)
    for role in found:
        found[role] = sum(role in roles.get(token, ()) for token in tokens)
    return {
        role: 50 - 5 * (role == "answer" and found["question"] > 0) - 5 * (len(tokens) > 1)
        for role, count in found.items()
        if count
    }


def ends_asking(text: str) -> bool:
    """Whether a text ends in a question mark of any script."""
    end = text.rstrip(" \t\r\n\"'”’»)]*_.:").rstrip()[-80:]
    if not end:
        return False
    if end[-1] in _MARKS or "՞" in end:
        return True
    return end[-1] in ";;" and any("\u0370" <= char <= "\u03ff" for char in end)


def begins_asking(text: str) -> bool:
    """Whether a text is worded as a question, whatever it ends in."""
    words = text[:200].casefold().lstrip("¿¡\"'«“„(- ").split(maxsplit=1)
    if not words:
        return False
    first = words[0].rstrip(",:")
    if first in _asking() or first.split("'")[0].split("’")[0] in _asking():
        return True
    return len(text) <= 100 and any(part in text for part in _asking_inside())


def asks(text: str) -> bool:
    """Whether a text reads as a question: by its mark, its first word or its wording."""
    return ends_asking(text) or begins_asking(text)


@cache
def _asking() -> frozenset[str]:
    return frozenset(word.casefold() for word in _ASKING.replace(",", " ").split())


@cache
def _asking_inside() -> tuple[str, ...]:
    return tuple(part.replace("_", " ") for part in _ASKING_INSIDE.split())
